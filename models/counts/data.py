"""Who counted what how often, without times: the matrix, and one way to split it by chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Numbers = NDArray[np.int64]


class NothingToCompare(ValueError):
    """Counts of which nothing can be held out; the text says why."""


class Split(NamedTuple):
    """Two matrices of the same shape (listeners, items) that share no pair."""

    train: csr_matrix
    test: csr_matrix

    @property
    def judged(self) -> Numbers:
        """Listeners of whom something was held out."""
        return np.flatnonzero(np.diff(self.test.indptr))

    def judging(self, most: int, rng: np.random.Generator) -> "Split":
        """The same training part, with at most so many listeners by chance to be judged on it."""
        users = self.judged
        if len(users) <= most:
            return self
        rows = np.repeat(np.arange(self.test.shape[0]), np.diff(self.test.indptr))
        return Split(self.train, _part(self.test, rows, np.isin(rows, rng.choice(users, most, replace=False))))


def matrix_of(users: Numbers, items: Numbers, counts: NDArray[np.float64]) -> csr_matrix:
    """Parallel columns of row, column and count as (listeners, items); the counts of a pair are added up."""
    return csr_matrix((counts, (users, items)), dtype=np.float64)


def shuffled(counts: csr_matrix, rng: np.random.Generator) -> csr_matrix:
    """The items in an order by chance, so that nothing can be read from their numbers, not even in a tie."""
    order = rng.permutation(counts.shape[1])
    moved = csr_matrix((counts.data, order[counts.indices], counts.indptr), shape=counts.shape, copy=True)
    moved.sort_indices()
    return moved


def split(counts: csr_matrix, share: float, rng: np.random.Generator) -> Split:
    """Of each listener's items ⌊share · number⌋ by chance are held out. Raises NothingToCompare."""
    lengths = np.diff(counts.indptr)
    users = np.repeat(np.arange(counts.shape[0]), lengths)
    order = np.lexsort((rng.random(counts.nnz), users))  # each listener's pairs by chance, listener after listener
    place = np.empty(counts.nnz, dtype=np.int64)
    place[order] = np.arange(counts.nnz) - np.repeat(counts.indptr[:-1], lengths)
    held = place < np.floor(share * lengths + 1e-9)[users]  # 0.2 · 5 is 1, whatever binary fractions say
    if not held.any():
        raise NothingToCompare(
            f"nothing can be held out: no listener has {int(np.ceil(1 / share))} items or more, so {share:g} of each "
            "is none; give more counts or hold out a larger share"
        )
    return Split(_part(counts, users, ~held), _part(counts, users, held))


def _part(counts: csr_matrix, users: Numbers, kept: NDArray[np.bool_]) -> csr_matrix:
    return csr_matrix((counts.data[kept], (users[kept], counts.indices[kept])), shape=counts.shape)
