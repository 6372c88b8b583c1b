"""Files that are there whole or not at all."""

from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` write aside, then rename: a reader never sees half of it, and a crash leaves the old one."""
    aside = path.with_name(f".{path.name}.aside")
    try:
        write(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
