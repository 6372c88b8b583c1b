"""Words to a vector, with numpy alone: what finds songs by a line, and places lyrics that a release has not seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.lyrics.packed import FIRST, Vocabulary

LONG = 120  # words of a text that are looked at
Matrix = NDArray[np.float32]


class Encoder(NamedTuple):
    """The weighted mean of word vectors; where there is a dense layer, that and a rectifier behind it."""

    vocabulary: Vocabulary
    weights: Matrix  # (numbers): how much a word says
    vectors: Matrix  # (numbers, d)
    dense: Matrix  # (d, k), or nothing
    bias: Matrix  # (k), or nothing

    def encode(self, songs: Sequence[Sequence[str]]) -> Matrix:
        """(songs, k), each of length 1; zeros for one without any known word."""
        packed = self.vocabulary.pack(songs, LONG)
        of = np.repeat(np.arange(len(songs)), packed.lengths())
        pooled = np.zeros((len(songs), self.vectors.shape[1]), dtype=np.float32)
        np.add.at(pooled, of, self.vectors[packed.words] * self.weights[packed.words, None])
        pooled /= np.maximum(packed.lengths(), 1).astype(np.float32)[:, None]
        if self.dense.size:
            pooled = np.maximum(pooled @ self.dense + self.bias, 0.0)
        known = np.bincount(of[packed.words >= FIRST], minlength=len(songs))
        pooled[known == 0] = 0.0  # the number of all other words has a weight of its own in a song model
        return unit(pooled)

    def save(self, words: Path, arrays: Path) -> None:
        """The words as Parquet, the rest as .npz."""
        pl.DataFrame({"word": self.vocabulary.words}, schema={"word": pl.String}).write_parquet(words)
        np.savez(arrays, weights=self.weights, vectors=self.vectors, dense=self.dense, bias=self.bias)

    @classmethod
    def load(cls, words: Path, arrays: Path) -> "Encoder":
        """What `save` wrote. Raises ValueError when the two do not belong together."""
        vocabulary = Vocabulary(pl.read_parquet(words)["word"].to_list())
        with np.load(arrays, allow_pickle=False) as kept:
            made = cls(vocabulary, *(kept[name] for name in ("weights", "vectors", "dense", "bias")))
        if not len(vocabulary) == len(made.weights) == len(made.vectors):
            raise ValueError(f"{words.name} and {arrays.name} are not of one encoder")
        return made


def unit(rows: NDArray[np.floating]) -> Matrix:
    """Each row at length 1; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
