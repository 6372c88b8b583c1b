"""Files that are either whole or not there: written aside, flushed to disk, renamed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from models.disk import flush
from services.runtime.errors import Fatal

ASIDE = ".aside-"

Named = tuple[str, Path | None]  # the option that names a file, and the file; None: it was not given


def write_private(path: Path, write: Callable[[Path], object]) -> None:
    """As `write_whole`, readable by its owner only, from its first byte on: for personal data."""

    def privately(aside: Path) -> None:
        aside.unlink(missing_ok=True)  # what a killed process left may be readable by all
        aside.touch(mode=0o600)
        write(aside)

    write_whole(path, privately)


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


def prove_apart(inputs: Sequence[Named], outputs: Sequence[Named]) -> None:
    """Raise Fatal when an output is an input too, which would be lost, or another output, which would replace it."""
    taken = [(option, path) for option, path in inputs if path is not None]
    for option, path in outputs:
        if path is None:
            continue
        for other, there in taken:
            if path.resolve() == there.resolve():
                raise Fatal(
                    f"{other} {there} and {option} {path} are one file, which would be overwritten: name another"
                )
        taken.append((option, path))


def sweep(folder: Path) -> list[Path]:
    """Remove what a process that was killed left half written, at any depth; what was removed."""
    left = [path for path in folder.rglob(f"{ASIDE}*") if path.is_file()]
    for path in left:
        path.unlink()
    return left
