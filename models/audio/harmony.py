"""What a piece of music is like by its pitches, by fixed filters (torch): statistics for a network.

Of each semitone how it stands out among those around it; of the twelve pitch classes how uneven they are, whatever the
key (magnitudes of their Fourier transform, Harte 2006); which intervals sound together; how many pitches there are.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.semitones import EVERY
from models.audio.texture import moments

AROUND = 6  # semitones to either side
OCTAVE = 12
INTERVALS = 36  # semitones
CLEAR = 0.5  # log10 of power above the semitones around: a pitch that is heard
SMALL = 1e-3


class Harmony(nn.Module):
    """(batch, semitones, frames) to (batch, width)."""

    def __init__(self, semitones: int) -> None:
        super().__init__()
        angles = 2 * np.pi / OCTAVE * np.arange(1, OCTAVE // 2 + 1)[:, None] * np.arange(OCTAVE)[None, :]
        intervals = min(INTERVALS, semitones - 1)
        self.register_buffer("standing", torch.from_numpy(_standing(semitones)), persistent=False)
        self.register_buffer("classes", torch.from_numpy(_classes(semitones)), persistent=False)
        self.register_buffer("cosines", torch.from_numpy(np.cos(angles).astype(np.float32)), persistent=False)
        self.register_buffer("sines", torch.from_numpy(np.sin(angles).astype(np.float32)), persistent=False)
        self.register_buffer("apart", torch.from_numpy(_apart(semitones, intervals)), persistent=False)
        self.width = 3 * semitones + 3 * (OCTAVE // 2) + intervals + 4

    def forward(self, semitones: Tensor) -> Tensor:
        """See the class."""
        standing = self.standing @ semitones[:, :, ::EVERY]
        clear = standing.relu()
        classes = self.classes @ clear
        classes = classes / (classes.sum(dim=1, keepdim=True) + SMALL)
        uneven = self._uneven(classes)  # (batch, 6, frames)
        even = clear / (clear.square().sum(dim=1, keepdim=True) + SMALL).sqrt()
        together = (even @ even.transpose(1, 2) / even.shape[2]).flatten(1) @ self.apart
        heights = torch.stack((clear.amax(dim=1), (standing > CLEAR).float().sum(dim=1)), dim=1)
        parts = (
            *moments(standing), *moments(uneven)[:2], self._uneven(classes.mean(dim=2, keepdim=True)).squeeze(2),
            together, *moments(heights)[:2],
        )  # fmt: skip
        return torch.cat(parts, dim=1)

    def _uneven(self, classes: Tensor) -> Tensor:
        return ((self.cosines @ classes).square() + (self.sines @ classes).square() + SMALL**2).sqrt()


def _standing(count: int) -> NDArray[np.float32]:
    """(count, count): a semitone less the mean of those around it."""
    near = (np.abs(np.arange(count)[:, None] - np.arange(count)[None, :]) <= AROUND).astype(np.float64)
    return np.asarray(np.eye(count) - near / near.sum(axis=1, keepdims=True), dtype=np.float32)


def _classes(count: int) -> NDArray[np.float32]:
    """(12, count): summed over octaves."""
    return np.asarray(np.arange(count)[None, :] % OCTAVE == np.arange(OCTAVE)[:, None], dtype=np.float32)


def _apart(count: int, intervals: int) -> NDArray[np.float32]:
    """(count·count, intervals): which pairs are 1, 2, … semitones apart."""
    away = (np.arange(count)[None, :] - np.arange(count)[:, None]).ravel()
    return np.asarray(away[:, None] == np.arange(1, intervals + 1)[None, :], dtype=np.float32)
