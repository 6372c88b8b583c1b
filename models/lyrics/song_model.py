"""The song model: which song are these words of?  words ─► embedding ─► mean ─► dense, rectified ─► softmax over songs.

What makes it fast where a plain one reckons every song's score at every step, and moves every weight:

- *in-batch softmax*: a song's words are held against the other songs of the batch only (Yih et al. 2011); every other
  epoch these are near it, for wrong answers by chance are soon too easy to learn from;
- *an imprinted last layer*: a song's row of it is what the song's own words give, at length 1 (Qi et al. 2018), so
  there is one weight a word to learn and not one a song; it is reckoned for the batch alone while the model is taught,
  and once for all songs at the end;
- or, where the rows are to be *learned* as the paper did it, sparse updates: only the batch's rows move, each along its
  whole slope with one step size of its own (row-wise Adagrad, Mudigere et al. 2021; Duchi et al. 2011). What goes in is
  held against the mean of what goes in, which says as much as a bias of −mean · row behind it: else the rows learn for
  many epochs to forget what all songs have in common;
- *packed bags*: no padding is looked up, summed or learned from;
- large batches, so the products that are left keep every core busy.

A batch holds windows of songs as often as whole songs: a line must do to find its song.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding_bag, normalize

from models.lyrics.packed import Numbers, Packed

BATCH = 1_024  # songs, of many; of few so many that an epoch has STEPS
STEPS, SMALLEST = 24, 128
RATES = {"imprinted": 1e-2, "learned": 3e-4}  # of words and dense layer: learned rows follow them once an epoch only
FIRST_STEP = 10.0  # length of a learned row after its first step
MEMORY = 0.1  # of the mean: what a batch weighs in it, at least
SCALE = 20.0  # of a cosine before the softmax
SHORTEST = 4  # words of a window
WHOLE = {"imprinted": 0.5, "learned": 0.9}  # share of a batch's songs that are whole
BETAS, TINY = (0.9, 0.99), 1e-12
AT_ONCE = 8_192

Matrix = NDArray[np.float32]
Rows = Literal["imprinted", "learned"]


class SongModel:
    """One model under way; `epoch` teaches it once on every song. Same songs, seed and threads: same model."""

    def __init__(
        self, songs: Packed, words: int, dimensions: int, seed: int, threads: int = 0, rows: Rows = "imprinted"
    ) -> None:
        torch.set_num_threads(threads or torch.get_num_threads())
        self._songs, self._rng, self._how = songs, np.random.default_rng(seed), rows
        chance = torch.Generator().manual_seed(seed)
        self._words = nn.Parameter(torch.randn(words, dimensions, generator=chance) * dimensions**-0.5)
        self._dense = nn.Parameter(torch.randn(dimensions, dimensions, generator=chance) * (2 / dimensions) ** 0.5)
        self._bias = nn.Parameter(torch.zeros(dimensions))
        self._adam = torch.optim.Adam([self._words, self._dense, self._bias], lr=RATES[rows], betas=BETAS, fused=True)
        self._rows, self._slopes = torch.zeros(len(songs), dimensions), torch.zeros(len(songs), 1)
        self._mean = torch.zeros(dimensions)  # of what goes into the last layer; stays 0 where it is imprinted
        self.epochs = self._steps = 0

    def epoch(self) -> None:
        """Every song once, in an order by chance."""
        self.epochs += 1
        order = self._order()
        size = min(BATCH, max(SMALLEST, len(order) // STEPS))
        for at in range(0, len(order), size):
            if len(chosen := order[at : at + size]) > 1:
                self._step(chosen)
        if self._how == "imprinted":
            self._rows = torch.from_numpy(self.encode(self._songs, unit=True))

    def _order(self) -> Numbers:
        """Songs in the order of their batches."""
        if self.epochs % 2:
            return self._rng.permutation(len(self._songs))
        direction = self._rng.standard_normal(self._rows.shape[1]).astype(np.float32)
        near: Numbers = np.argsort(self._rows.numpy() @ direction)
        return near

    def _step(self, chosen: Numbers) -> None:
        seen = self._pooled(self._windows(chosen))
        self._steps += 1
        self._adam.zero_grad(set_to_none=True)
        if self._how == "imprinted":
            own = normalize(self._pooled(self._songs.rows(chosen)), dim=1)
            self._learn(SCALE * normalize(seen, dim=1) @ own.T)
            return
        mean = seen.detach().mean(dim=0)
        self._mean += (mean - self._mean) * max(1 / self._steps, MEMORY)
        numbers = torch.from_numpy(chosen)
        rows = self._rows[numbers].requires_grad_()
        self._learn((seen - mean) @ rows.T)
        if rows.grad is not None:
            self._move(numbers, rows.grad)

    def _learn(self, logits: Tensor) -> None:
        """One step of words and dense layer: song i of the batch is the answer to row i."""
        cross_entropy(logits, torch.arange(len(logits))).backward()
        self._adam.step()

    def _windows(self, chosen: Numbers) -> Packed:
        begins, ends = self._songs.starts[chosen], self._songs.starts[chosen + 1]
        counts = ends - begins
        whole = self._rng.random(len(chosen)) < WHOLE[self._how]
        share = np.where(whole, 1.0, self._rng.random(len(chosen)))
        kept = np.minimum(counts, np.maximum(SHORTEST, np.ceil(share * counts).astype(np.int64)))
        begins = begins + (self._rng.random(len(chosen)) * (counts - kept + 1)).astype(np.int64)
        return self._songs.spans(begins, begins + kept)

    def _pooled(self, songs: Packed) -> Tensor:
        words, starts = torch.from_numpy(songs.words), torch.from_numpy(songs.starts[:-1])
        mean = embedding_bag(words, self._words, starts, mode="mean")
        return torch.relu(mean @ self._dense + self._bias)

    def _move(self, rows: Tensor, slope: Tensor) -> None:
        """Row-wise Adagrad on the rows of the last layer that the batch has."""
        slopes = self._slopes[rows] + slope.square().sum(dim=1, keepdim=True)
        self._slopes[rows] = slopes
        self._rows[rows] -= FIRST_STEP * slope / (slopes.sqrt() + TINY)

    def encode(self, songs: Packed, unit: bool = False) -> Matrix:
        """What the last layer is held against, (songs, dimensions); `unit`: at length 1."""
        with torch.inference_mode():
            parts = []
            for at in range(0, len(songs), AT_ONCE):
                part = self._pooled(songs.rows(np.arange(at, min(at + AT_ONCE, len(songs))))) - self._mean
                parts.append((normalize(part, dim=1) if unit else part).numpy())
        return np.asarray(np.concatenate(parts), dtype=np.float32)

    def outputs(self) -> Matrix:
        """The last layer: a row a song."""
        return np.array(self._rows.numpy(), dtype=np.float32)

    def weights(self) -> tuple[Matrix, Matrix, Matrix]:
        """The embedding (words, dimensions), the dense layer (dimensions, dimensions) and its bias."""
        found = (part.detach().numpy().copy() for part in (self._words, self._dense, self._bias))
        words, dense, bias = found
        return words, dense, bias
