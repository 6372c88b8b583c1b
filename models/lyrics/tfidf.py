"""TF-IDF of words and pairs of words, as plain arrays: what a release holds and what serving reckons with.

The weight of term t in song d is tf(t, d) · idf(t), idf(t) = ln((1 + n) / (1 + df(t))) + 1, rows scaled to length 1
(Salton & Buckley 1988; smoothed as scikit-learn does, which a test holds it to).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

MIN_SONGS = 2  # a term of one song only tells which song it is, and would put it into the release


class Bags(NamedTuple):
    """Sparse rows: song i has terms `terms[starts[i]:starts[i + 1]]`, rising, with `weights` parallel."""

    starts: NDArray[np.int64]
    terms: NDArray[np.int64]
    weights: NDArray[np.float32]
    size: int  # terms there are

    def __len__(self) -> int:
        return len(self.starts) - 1

    def dense(self, first: int, last: int) -> NDArray[np.float32]:
        """Songs `first` to before `last` as (songs, size)."""
        span = slice(self.starts[first], self.starts[last])
        table = np.zeros((last - first, self.size), dtype=np.float32)
        of = np.repeat(np.arange(last - first), np.diff(self.starts[first : last + 1]))
        table[of, self.terms[span]] = self.weights[span]
        return table

    def rows(self, chosen: NDArray[np.int64]) -> "Bags":
        """Only these songs, in this order."""
        counts = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(counts)))
        at = np.repeat(self.starts[chosen] - starts[:-1], counts) + np.arange(starts[-1])
        return Bags(starts, self.terms[at], self.weights[at], self.size)


class Tfidf:
    """A vocabulary with its idf. `ngrams` 1: words only; 2: also pairs of neighbours."""

    def __init__(self, terms: Sequence[str], idf: NDArray[np.float32], ngrams: int = 2) -> None:
        self.terms, self.idf, self.ngrams = list(terms), idf, ngrams
        self._number = {term: at for at, term in enumerate(self.terms)}

    @classmethod
    def fit(cls, songs: Iterable[Sequence[str]], features: int, ngrams: int = 2) -> "Tfidf":
        """The `features` most frequent terms of at least MIN_SONGS songs; of equals the first by the alphabet."""
        total: Counter[str] = Counter()
        within: Counter[str] = Counter()
        count = 0
        for words in songs:
            found = _terms(words, ngrams)
            total.update(found)
            within.update(set(found))
            count += 1
        usual = [term for term, df in within.items() if df >= MIN_SONGS]
        kept = sorted(sorted(usual, key=lambda term: (-total[term], term))[:features])
        df = np.array([within[term] for term in kept], dtype=np.float64)
        return cls(kept, (np.log((1 + count) / (1 + df)) + 1).astype(np.float32), ngrams)

    def bags(self, songs: Iterable[Sequence[str]]) -> Bags:
        """Each song's terms and weights; a song without any known term is an empty row."""
        number, found, ends = self._number, [], []
        for words in songs:
            found += [number[term] for term in _terms(words, self.ngrams) if term in number]
            ends.append(len(found))
        size, rows = len(self.terms), len(ends)
        bounds = np.array([0, *ends], dtype=np.int64)
        keys = np.repeat(np.arange(rows), np.diff(bounds)) * size + np.array(found, dtype=np.int64)
        keys, counts = np.unique(keys, return_counts=True)
        of, terms = np.divmod(keys, max(1, size))
        weights = counts * self.idf[terms].astype(np.float64)
        lengths = np.sqrt(np.bincount(of, weights * weights, minlength=rows))
        starts = np.searchsorted(of, np.arange(rows + 1))
        return Bags(starts, terms, (weights / np.maximum(lengths[of], 1e-12)).astype(np.float32), size)

    def save(self, path: Path) -> None:
        """As Parquet: (term, idf)."""
        frame = pl.DataFrame({"term": self.terms, "idf": self.idf}, schema={"term": pl.String, "idf": pl.Float32})
        frame.write_parquet(path, compression="zstd", metadata={"ngrams": str(self.ngrams)})

    @classmethod
    def load(cls, path: Path) -> "Tfidf":
        """What `save` wrote."""
        frame = pl.read_parquet(path)
        ngrams = int(pl.read_parquet_metadata(path)["ngrams"])
        return cls(frame["term"].to_list(), frame["idf"].to_numpy().astype(np.float32), ngrams)


def _terms(words: Sequence[str], ngrams: int) -> list[str]:
    found = list(words)
    if ngrams > 1:
        found += [f"{one} {two}" for one, two in pairwise(words)]
    return found
