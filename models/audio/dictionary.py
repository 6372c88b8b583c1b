"""Words of sound (torch): what short pieces of a recording are like, counted, after Coates and Ng 2012.

A word is the direction of a usual piece (all bands, some frames), found without labels: pieces of the recordings are
whitened (PCA) and grouped by their direction (spherical k-means). A recording is then how near its pieces come to each
word. That takes no labels to learn, so a few hundred labelled recordings are left for what labels alone can say.
"""

from collections.abc import Sequence

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.segments import AnyMel, repeated

AXES = 96  # that a piece is described by
EVEN = 0.05  # of an axis's mean variance, added: faint axes are mostly noise
STRIDE = 4  # frames between two pieces
PIECES = 24_000  # that words are found with
SMALL = 1e-6


class Dictionary(nn.Module):
    """(batch, bands, frames) to (batch, 2·words): mean (its root) and spread over time of how near each word is.

    What is shorter than a piece is not heard. Useless before `learn`.
    """

    def __init__(self, bands: int, frames: int, words: int, nearness: float) -> None:
        """`nearness`: the cosine from which on a piece counts for a word."""
        super().__init__()
        self.frames, self.nearness = frames, nearness
        axes = min(AXES, bands * frames)
        self.register_buffer("axes", torch.zeros(axes, bands, frames))
        self.register_buffer("offset", torch.zeros(axes))
        self.register_buffer("words", torch.zeros(words, axes))
        self.width = 2 * words

    def forward(self, mels: Tensor) -> Tensor:
        """See the class."""
        pieces = nn.functional.conv1d(mels, self.axes, self.offset, stride=STRIDE)  # (batch, axes, pieces)
        pieces = pieces / (pieces.square().sum(dim=1, keepdim=True) + SMALL).sqrt()
        near = (self.words @ pieces - self.nearness).relu()
        mean = near.mean(dim=2)
        spread = ((near - mean[:, :, None]).square().mean(dim=2) + SMALL).sqrt()
        return torch.cat(((mean + SMALL).sqrt(), spread), dim=1)

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:
        """Find axes and words in these recordings."""
        each = max(1, PIECES // len(mels))
        pieces = np.concatenate([self._pieces(mel, each, rng) for mel in mels])
        mean = pieces.mean(axis=0)
        centred = pieces - mean
        variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
        variances, directions = variances[-len(self.offset) :], directions[:, -len(self.offset) :]
        axes = (directions / np.sqrt(np.maximum(variances, 0.0) + EVEN * variances.mean() + SMALL)).T
        whitened = centred @ axes.T
        whitened /= np.linalg.norm(whitened, axis=1, keepdims=True) + SMALL
        self.axes.copy_(torch.from_numpy(axes.reshape(self.axes.shape)))
        self.offset.copy_(torch.from_numpy(-axes @ mean))
        self.words.copy_(torch.from_numpy(_grouped(whitened, len(self.words), int(rng.integers(2**31)))))

    def _pieces(self, mel: AnyMel, each: int, rng: np.random.Generator) -> NDArray[np.float32]:
        mel = repeated(mel, self.frames)
        places = mel.shape[1] - self.frames + 1
        starts = rng.integers(places, size=min(each, places)).tolist()
        return np.stack([mel[:, start : start + self.frames].ravel() for start in starts]).astype(np.float32)


def _grouped(directions: NDArray[np.float32], words: int, seed: int) -> NDArray[np.float32]:
    """(words, axes) of length one; of fewer directions some are several words."""
    short = np.ascontiguousarray(directions, dtype=np.float32)
    if len(short) < words:
        return np.asarray(np.resize(short, (words, short.shape[1])), dtype=np.float32)
    kmeans = faiss.Kmeans(short.shape[1], words, niter=15, seed=seed, spherical=True, min_points_per_centroid=1)
    kmeans.train(short)
    return np.asarray(kmeans.centroids, dtype=np.float32)
