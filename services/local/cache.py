"""Where downloads are kept between runs, and how two processes share that folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_dir


def cache_folder() -> Path:
    """The folder named by SEGUE_CACHE, else the user's cache folder for segue; it is made if need be."""
    folder = Path(os.environ.get("SEGUE_CACHE") or user_cache_dir("segue", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever holds it; a holder that dies lets go."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
