"""Files that are either whole or not there: written aside, flushed to disk, renamed."""

import os
from collections.abc import Callable
from pathlib import Path

ASIDE = ".aside-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file beside `path`, then put it in its place, replacing what was there.

    A reader never sees half of it; a crash leaves the old one, and what was begun to `sweep`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{ASIDE}{path.name}")
    try:
        write(aside)
        flush(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    flush(path.parent)


def flush(path: Path) -> None:
    """Return once a file, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> list[Path]:
    """Remove what a process that was killed left half written, at any depth; what was removed."""
    left = [path for path in folder.rglob(f"{ASIDE}*") if path.is_file()]
    for path in left:
        path.unlink()
    return left
