"""What a short sound or a piece of music is like as a whole, by fixed filters (torch): statistics for a network.

Cepstra (a cosine transform over the bands) with their means, spreads, correlations and higher moments, quantiles of the
bands, and how strongly cepstra and coarse bands go up and down at nine tempi: a modulation spectrum, by Gabor filters
over time. Nothing here is learned, which is what lets a few hundred recordings be enough.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.settings import MelSettings

CEPSTRA = 30
PAIRED = 20  # cepstra whose correlations and modulations are looked at
COARSE = 16  # bands of the coarse spectrum
TEMPI_HZ = (0.5, 0.95, 1.6, 2.5, 3.7, 5.7, 9.0, 13.5, 18.5)
GABOR_S = 3.0
STRIDE = 4  # frames between two looks at the modulations
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MIDDLE = QUANTILES.index(0.5)
SMALL = 1e-5


class Texture(nn.Module):
    """(batch, bands, frames), frames at least two, to (batch, width)."""

    def __init__(self, heard: MelSettings, *, fine: bool) -> None:
        """`fine`: also the quantiles of the bands and the higher moments of the cepstra, which say more of music."""
        super().__init__()
        bands = heard.bands
        self.paired, self.coarse = min(PAIRED, bands), max(1, bands // -(-bands // COARSE))
        cepstra = min(CEPSTRA, bands)
        upper = np.flatnonzero(np.triu(np.ones((self.paired, self.paired)), 1))
        self.register_buffer("cosines", torch.from_numpy(_cosines(bands, cepstra)), persistent=False)
        self.register_buffer("bins", torch.from_numpy(_bins(bands, self.coarse)), persistent=False)
        self.register_buffer("upper", torch.from_numpy(upper), persistent=False)
        self.register_buffer("gabors", torch.from_numpy(_gabors(1000.0 / heard.hop_ms)), persistent=False)
        self.width = 3 * (cepstra + bands) + len(upper) + (self.paired + self.coarse) * len(TEMPI_HZ)
        self.fine = fine
        if fine:
            self.width += len(QUANTILES) * bands + 2 * self.paired

    def forward(self, mels: Tensor) -> Tensor:
        """See the class."""
        cepstra = self.cosines @ mels  # (batch, cepstra, frames)
        wavy = torch.cat((cepstra[:, : self.paired], self.bins @ mels), dim=1)
        even = _evened(cepstra[:, : self.paired])
        parts = [*moments(cepstra), *moments(mels), self._correlations(even), self._modulations(wavy)]
        if self.fine:
            parts += [*_quantiles(mels), (even**3).mean(dim=2), (even**4).mean(dim=2)]
        return torch.cat(parts, dim=1)

    def _correlations(self, even: Tensor) -> Tensor:
        table = even @ even.transpose(1, 2) / even.shape[2]
        return table.flatten(1).index_select(1, self.upper)

    def _modulations(self, wavy: Tensor) -> Tensor:
        channels = wavy.shape[1]
        centred = (wavy - wavy.mean(dim=2, keepdim=True)).flatten(0, 1)[:, None]  # (batch·channels, 1, frames)
        half = self.gabors.shape[2] // 2
        waves = nn.functional.conv1d(centred, self.gabors, stride=STRIDE, padding=half)
        energy = waves.square().mean(dim=2)  # (batch·channels, 2·tempi)
        both = energy[:, : len(TEMPI_HZ)] + energy[:, len(TEMPI_HZ) :]
        return (both + SMALL).log().reshape(-1, channels * len(TEMPI_HZ))


def _evened(rows: Tensor) -> Tensor:
    """Mean 0 and spread 1 over time."""
    centred = rows - rows.mean(dim=2, keepdim=True)
    return centred / (centred.square().mean(dim=2, keepdim=True) + SMALL).sqrt()


def _quantiles(rows: Tensor) -> list[Tensor]:
    """The median over time, and how far from it the other QUANTILES are."""
    rising = rows.sort(dim=2).values
    places = [round(share * (rows.shape[2] - 1)) for share in QUANTILES]
    middle = rising[:, :, places[MIDDLE]]
    return [middle, *(rising[:, :, place] - middle for at, place in enumerate(places) if at != MIDDLE)]


def moments(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and spread over time, and the spread of the steps from frame to frame."""
    mean = rows.mean(dim=2)
    spread = ((rows - mean[:, :, None]).square().mean(dim=2) + SMALL).sqrt()
    steps = rows[:, :, 1:] - rows[:, :, :-1]
    return mean, spread, (steps.square().mean(dim=2) + SMALL).sqrt()


def _cosines(bands: int, most: int) -> NDArray[np.float32]:
    angles = np.pi / bands * (np.arange(bands) + 0.5)
    table = np.sqrt(2.0 / bands) * np.cos(np.arange(most)[:, None] * angles)
    return np.asarray(table, dtype=np.float32)


def _bins(bands: int, coarse: int) -> NDArray[np.float32]:
    """(coarse, bands): which bands are averaged."""
    of = np.arange(bands) * coarse // bands
    table = (of[None, :] == np.arange(coarse)[:, None]).astype(np.float32)
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float32)


def _gabors(frames_per_s: float) -> NDArray[np.float32]:
    """(2·tempi, 1, taps): a cosine and a sine of each tempo under a Hann window that sums to one."""
    half = round(GABOR_S * frames_per_s / 2)
    times = np.arange(-half, half + 1) / frames_per_s
    window = np.hanning(len(times) + 2)[1:-1]
    window /= window.sum()
    # What is faster than half the frame rate cannot be told from what is slower.
    tempi = np.minimum(np.array(TEMPI_HZ), 0.45 * frames_per_s)
    angles = 2 * np.pi * tempi[:, None] * times[None, :]
    waves = np.concatenate((np.cos(angles), np.sin(angles))) * window
    return np.asarray(waves[:, None, :], dtype=np.float32)
