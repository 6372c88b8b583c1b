"""Log-mels of many files: over all cores, kept on disk by what the file holds, so that a second run reads them.

    <cache>/<of the settings>/<first two>/<SHA-256 of the file>.npy      float16, (rows, frames)

A file is written aside and renamed: killed at any moment, a run goes on where it stopped.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.audio.decode import decode
from models.audio.logmel import logmel
from models.audio.problems import BadAudio
from models.audio.settings import MelSettings

FEW = 16  # files that no second process is started for


class Heard(Struct):
    """A recording as the networks take it."""

    sha256: str  # of the file
    mel: NDArray[np.float16]  # (rows, frames): bands, then semitones


def hear(
    paths: Sequence[Path],
    settings: MelSettings,
    cache: Path | None,
    workers: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[tuple[int, Heard | BadAudio]]:
    """Each file's number and its log-mel, or why there is none; in the order in which they are done.

    `cache` None: nothing is kept. `workers` 0: a process a core. What is left undone by Ctrl-C is not begun.
    """
    workers = workers or os.cpu_count() or 1
    progress(0.0)
    if workers == 1 or len(paths) < FEW:
        for at, path in enumerate(paths):
            yield at, one(path, settings, cache)
            progress((at + 1) / len(paths))
        return
    # Not forked: polars and torch have threads, which a fork would leave behind in the midst of what they did.
    pool = ProcessPoolExecutor(min(workers, len(paths)), mp_context=get_context("spawn"))
    try:
        waiting = {pool.submit(one, path, settings, cache): at for at, path in enumerate(paths)}
        for done, future in enumerate(as_completed(waiting), 1):
            yield waiting[future], future.result()
            progress(done / len(paths))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def one(path: Path, settings: MelSettings, cache: Path | None) -> Heard | BadAudio:
    """One file's."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return BadAudio(f"{path}: {error.strerror}")
    kept = None if cache is None else _kept(cache, settings, sha256)
    if kept is not None and (found := _read(kept, settings)) is not None:
        return Heard(sha256, found)
    try:
        mel = logmel(decode(path), settings).astype(np.float16)
    except BadAudio as error:
        return error
    if kept is not None:
        _write(kept, mel)
    return Heard(sha256, mel)


def _kept(cache: Path, settings: MelSettings, sha256: str) -> Path:
    told = hashlib.sha256(msgspec.json.encode(settings)).hexdigest()[:16]
    return cache / "mels" / told / sha256[:2] / f"{sha256}.npy"


def _read(path: Path, settings: MelSettings) -> NDArray[np.float16] | None:
    try:
        found: NDArray[np.float16] = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return found if found.dtype == np.float16 and found.ndim == 2 and len(found) == settings.rows else None


def _write(path: Path, mel: NDArray[np.float16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(aside, mel, allow_pickle=False)
    aside.replace(path)
