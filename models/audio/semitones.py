"""How loud each semitone is: what a log-mel's bands are too wide to say. numpy, scipy's FFT and soxr, as decoding.

A quarter of the rate is enough up to 2.4 kHz, so a window of 1,024 of its samples is 0.19 s long: long enough to tell
semitones apart from about 150 Hz on, and chords from about 300 Hz. Looked at at every second frame of the log-mel.
"""

from functools import lru_cache

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from models.audio.settings import RATE

LOWEST_HZ = 55.0  # of row 0
SLOWER = 4
WINDOW = 1_024
EVERY = 2  # frames of the log-mel
FLOOR = 1e-8  # of power: −80 dB

Rows = NDArray[np.float32]


def semitones(samples: NDArray[np.float32], count: int, hop: int, frames: int) -> Rows:
    """(count, frames): log10 of power around each of `count` semitones.

    Frames are centred on multiples of `hop` samples; EVERY of them after each other are the same.
    """
    slow = soxr.resample(samples, RATE, RATE / SLOWER).astype(np.float32, copy=False)
    centres = np.round(np.arange(0, frames, EVERY) * hop / SLOWER).astype(np.int64)
    padded = np.pad(slow, (WINDOW // 2, max(0, int(centres[-1]) + WINDOW // 2 + 1 - len(slow))))
    views = sliding_window_view(padded, WINDOW)
    weights = triangles(count)
    made = np.empty((count, len(centres)), dtype=np.float32)
    for start in range(0, len(centres), WINDOW):
        spectrum = rfft(views[centres[start : start + WINDOW]] * _window(), axis=1)
        made[:, start : start + WINDOW] = weights @ (spectrum.real**2 + spectrum.imag**2).T
    told = np.log10(np.maximum(made, FLOOR, out=made), out=made)
    return np.repeat(told, EVERY, axis=1)[:, :frames]


@lru_cache(maxsize=4)
def triangles(count: int) -> Rows:
    """(count, bins): a semitone to either side; where bins are wider than that, the two bins around it."""
    places = np.arange(WINDOW // 2 + 1) * (RATE / SLOWER / WINDOW)
    hz = LOWEST_HZ * 2.0 ** (np.arange(count) / 12)[:, None]
    with np.errstate(divide="ignore"):
        away = 12 * np.abs(np.log2(places / hz))
    table = np.maximum(0.0, 1.0 - away)
    between = np.maximum(0.0, 1.0 - np.abs(places - hz) / places[1])
    table = np.where(table.sum(axis=1, keepdims=True) < 1.0, between, table)
    return np.asarray(table / WINDOW, dtype=np.float32)


@lru_cache(maxsize=1)
def _window() -> Rows:
    """Hann, periodic."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), dtype=np.float32)
