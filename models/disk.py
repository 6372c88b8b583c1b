"""What must be on disk before anybody is told of it."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Return once a file, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
