"""Log-mel spectrograms, and beneath them semitones, without torch: the same numbers in training and in serving.

Mel scale as Slaney's Auditory Toolbox (1998): linear up to 1 kHz, logarithmic above; triangles of equal area.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from models.audio.semitones import semitones
from models.audio.settings import RATE, MelSettings

Mel = NDArray[np.float32]
FLOOR = 1e-8  # of power: −80 dB
BLOCK = 2_048  # frames transformed at once: 8 MB
_BREAK_HZ, _BREAK_MEL = 1_000.0, 15.0
_STEP = np.log(6.4) / 27.0


def logmel(samples: NDArray[np.float32], settings: MelSettings) -> Mel:
    """(rows, frames) of (samples,): log10 of power, −8 for nothing. Frames are centred on multiples of the hop.

    The first `bands` rows are the log-mel, the others semitones.
    """
    window, size = _window(settings.window), fft_size(settings)
    weights = filters(settings)
    half = settings.window // 2
    padded = np.pad(samples, (half, settings.window - half))
    frames = sliding_window_view(padded, settings.window)[:: settings.hop]
    whole = np.empty((settings.rows, len(frames)), dtype=np.float32)
    made = whole[: settings.bands]
    for start in range(0, len(frames), BLOCK):
        spectrum = rfft(frames[start : start + BLOCK] * window, n=size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        made[:, start : start + BLOCK] = weights @ power.T.astype(np.float32, copy=False)
    np.log10(np.maximum(made, FLOOR, out=made), out=made)
    if settings.semitones:
        whole[settings.bands :] = semitones(samples, settings.semitones, settings.hop, len(frames))
    return whole


def fft_size(settings: MelSettings) -> int:
    """The power of two that a window fits in."""
    return 1 << (settings.window - 1).bit_length()


@lru_cache(maxsize=8)
def filters(settings: MelSettings) -> NDArray[np.float32]:
    """(bands, bins): triangles, each of area one over its width in Hz."""
    bins = np.fft.rfftfreq(fft_size(settings), 1 / RATE)
    edges = hz_of(np.linspace(mel_of(settings.low_hz), mel_of(settings.high_hz), settings.bands + 2))
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (mid - low), (high - bins) / (high - mid)
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return (triangles / settings.window).astype(np.float32)


def mel_of(hz: float) -> float:
    """Hz to mel."""
    if hz < _BREAK_HZ:
        return hz * _BREAK_MEL / _BREAK_HZ
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _STEP)


def hz_of(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel to Hz."""
    above = _BREAK_HZ * np.exp(_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.asarray(np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, above), dtype=np.float64)


def mfcc(mel: Mel, most: int = 20) -> NDArray[np.float32]:
    """(most, frames): the first coefficients of the cosine transform (DCT-II, orthonormal) over the bands."""
    bands = len(mel)
    steps = np.pi / bands * (np.arange(bands) + 0.5)
    basis = np.sqrt(2.0 / bands) * np.cos(np.arange(most)[:, None] * steps[None, :])
    basis[0] /= np.sqrt(2.0)
    return np.asarray(basis.astype(np.float32) @ mel, dtype=np.float32)


@lru_cache(maxsize=8)
def _window(size: int) -> NDArray[np.float32]:
    """Hann, periodic."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size), dtype=np.float32)
