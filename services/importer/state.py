"""The importer's memory between runs: where it is, who may write it, how it is written whole or not at all."""

import fcntl
import logging
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_state_dir

from services.runtime.errors import Fatal

log = logging.getLogger(__name__)


def state_folder(environ: Mapping[str, str]) -> Path:
    """The folder named by SEGUE_STATE, else the user's state folder for segue."""
    return Path(environ.get("SEGUE_STATE") or user_state_dir("segue", appauthor=False))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one import; a holder that dies lets go. Raises Fatal when another one holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Fatal(
                f"another import into this cluster is running (process {holder}, lock {path}): wait for it to end, or "
                "end it; what it has sent is not sent again"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def save(path: Path, **arrays: NDArray[Any]) -> None:
    """Write the arrays beside `path`, then put them in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def load(path: Path, *names: str) -> tuple[NDArray[Any], ...] | None:
    """The arrays of these names; None when there is no such file or it is damaged (it can be built anew)."""
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return tuple(file[name] for name in names)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s is damaged (%s): it is built anew from the log", path, error)
        return None
