"""Recordings made up on the spot, and a release that has heard some."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio.settings import RATE


def tone(hz: float, seconds: float = 1.0, loud: float = 0.5) -> NDArray[np.float32]:
    return (loud * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seed: int, seconds: float = 1.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * RATE)).astype(np.float32)


def write(path: Path, samples: NDArray[np.float32], rate: int = RATE, subtype: str | None = None) -> Path:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype)
    return path
