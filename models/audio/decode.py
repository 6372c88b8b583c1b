"""Recordings to samples: mono, 22.05 kHz. By libsndfile (mp3, flac, wav, ogg, aiff …) and soxr."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from models.audio.problems import BadAudio
from models.audio.settings import RATE

LONGEST_S = 30 * 60  # a concert or an audio book is no track
SHORTEST_S = 0.05
SILENCE = 1e-3  # of full scale: −60 dB

Samples = NDArray[np.float32]


def path_of(uri: str) -> Path:
    """The file that a URI names: a path, or `file://…`. Raises BadAudio for one that is somewhere else."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if "://" in uri:
        raise BadAudio(f"{uri}: only paths and file:// are read; fetch it first")
    return Path(uri)


def decode(path: Path, longest_s: float = LONGEST_S) -> Samples:
    """The samples of a recording, (n,), −1 to 1. Raises BadAudio: missing, corrupt, too short, too long or silent."""
    with _opened(path) as file:
        _none_too_long(path, file, longest_s)
        return _fit(path, file.read(dtype="float32", always_2d=True), file.samplerate)


def middle(path: Path, seconds: float) -> Samples:
    """So much from the middle of a recording of any length, or all of a shorter one; the rest is not decoded.

    Raises BadAudio as `decode`, but never for the length.
    """
    with _opened(path) as file:
        most = round(seconds * file.samplerate)
        if file.frames > most:
            file.seek((file.frames - most) // 2)
        return _fit(path, file.read(most, dtype="float32", always_2d=True), file.samplerate)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        if not path.stat().st_size:
            raise BadAudio(f"{path}: is empty")
        with soundfile.SoundFile(path) as file:
            yield file
    except OSError as error:
        raise BadAudio(f"{path}: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise BadAudio(f"{path}: no audio that can be read ({error.error_string})") from error


def _fit(path: Path, channels: Samples, rate: int) -> Samples:
    samples = channels.mean(axis=1)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    if len(samples) < SHORTEST_S * RATE:
        raise _too_short(path, len(samples) / RATE)
    if not np.isfinite(samples).all():
        raise BadAudio(f"{path}: holds samples that are no numbers")
    if np.abs(samples).max() < SILENCE:
        raise BadAudio(f"{path}: is silent")
    return np.ascontiguousarray(samples, dtype=np.float32)


def glance(path: Path) -> dict[str, str]:
    """What the file says of itself (title, artist, album, genre), where it does; nothing is decoded.

    Raises BadAudio where its header shows that it cannot be heard. That it is silent or breaks off shows only later.
    """
    with _opened(path) as file:
        _none_too_long(path, file, LONGEST_S)
        if file.frames < SHORTEST_S * file.samplerate:
            raise _too_short(path, file.frames / file.samplerate)
        return {name: text.strip() for name, text in file.copy_metadata().items() if text.strip()}


def _none_too_long(path: Path, file: soundfile.SoundFile, longest_s: float) -> None:
    seconds = file.frames / file.samplerate
    if seconds > longest_s:
        raise BadAudio(f"{path}: lasts {seconds / 60:.0f} minutes, more than {longest_s / 60:.0f}")


def _too_short(path: Path, seconds: float) -> BadAudio:
    return BadAudio(f"{path}: holds {1000 * seconds:.0f} ms, fewer than {1000 * SHORTEST_S:.0f}")
