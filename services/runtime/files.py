"""Files that are either whole or not there: written aside, flushed to disk, renamed."""

from collections.abc import Callable
from pathlib import Path

from models.disk import flush

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


def sweep(folder: Path) -> list[Path]:
    """Remove what a process that was killed left half written, at any depth; what was removed."""
    left = [path for path in folder.rglob(f"{ASIDE}*") if path.is_file()]
    for path in left:
        path.unlink()
    return left
