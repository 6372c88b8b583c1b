"""Which tracks are played near each other, and which follow which, from everybody's sessions; in bounded memory.

Neighbours: s(i, j) = Σ 1/√d over all plays of i and j within `window` plays of each other in a session (d apart), over
√((nᵢ + shrink)(nⱼ + shrink)): a cosine of item vectors over sessions that favours what is close (the item-based
neighbours of Sarwar et al. 2001, weighted by distance as in VSKNN of Ludewig & Jannach 2018).
Transitions: t(i, j) = Σ 2^(−age/half_life)/d over j played d ≤ `steps` plays after i, over (Σⱼ + shrink).

The counts of all pairs of 200,000 tracks do not fit into memory, so rows are made in blocks: each block looks through
all plays for the pairs that begin in it and keeps the best of each row.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from models.neighbours.settings import NeighbourSettings
from models.neighbours.table import Table

DAY = 86_400


class Plays(NamedTuple):
    """Positive plays, those of a listener together and in the order of their time; parallel columns."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    seconds: NDArray[np.int64]


Pairs = Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]]  # from, to, weight


def neighbours(
    plays: Plays, size: int, settings: NeighbourSettings, progress: Callable[[float], None] = lambda _: None
) -> Table:
    """The `most` nearest of each of `size` items; cost: linear in plays x window, times the number of blocks."""
    together = _session_ends(plays, settings)
    counts = np.bincount(plays.items, minlength=size).astype(np.float32)
    norm = 1.0 / np.sqrt(np.maximum(counts + settings.shrink, 1.0))  # under 1 only what nobody played

    def pairs() -> Pairs:
        for apart in range(1, settings.window + 1):
            first, second = _pairs(plays, together, apart)
            weights = np.full(len(first), apart**-0.5, dtype=np.float32)
            yield first, second, weights
            yield second, first, weights

    def score(block: csr_matrix, first_row: int) -> csr_matrix:
        own = norm[first_row : first_row + block.shape[0]]
        block.data *= np.repeat(own, np.diff(block.indptr)) * norm[block.indices]
        return block

    return _in_blocks(pairs, score, 2 * settings.window * len(plays.items), size, settings, progress)


def transitions(
    plays: Plays, size: int, settings: NeighbourSettings, progress: Callable[[float], None] = lambda _: None
) -> Table:
    """The `most` likeliest followers of each of `size` items."""
    together = _session_ends(plays, settings)
    newest = int(plays.seconds.max()) if len(plays.seconds) else 0

    def pairs() -> Pairs:
        for apart in range(1, settings.steps + 1):
            first, second = _pairs(plays, together, apart)
            age = (newest - plays.seconds[apart:][_near(plays, together, apart)]) / (settings.half_life_days * DAY)
            yield first, second, (np.exp2(-age) / apart).astype(np.float32)

    def score(block: csr_matrix, _first_row: int) -> csr_matrix:
        sums = np.asarray(block.sum(axis=1)).ravel() + settings.shrink
        block.data /= np.repeat(sums, np.diff(block.indptr)).astype(np.float32)
        return block

    return _in_blocks(pairs, score, settings.steps * len(plays.items), size, settings, progress)


def _session_ends(plays: Plays, settings: NeighbourSettings) -> NDArray[np.int32]:
    """The number of each play's session."""
    if not len(plays.items):
        return np.empty(0, np.int32)
    breaks = (np.diff(plays.users) != 0) | (np.diff(plays.seconds) > settings.session_minutes * 60)
    return np.concatenate(([0], np.cumsum(breaks))).astype(np.int32)


def _near(plays: Plays, sessions: NDArray[np.int32], apart: int) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = (sessions[apart:] == sessions[:-apart]) & (plays.items[apart:] != plays.items[:-apart])
    return near


def _pairs(plays: Plays, sessions: NDArray[np.int32], apart: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    near = _near(plays, sessions, apart)
    return plays.items[:-apart][near], plays.items[apart:][near]


def _in_blocks(
    pairs: Callable[[], Pairs],
    score: Callable[[csr_matrix, int], csr_matrix],
    expected: int,
    size: int,
    settings: NeighbourSettings,
    progress: Callable[[float], None],
) -> Table:
    blocks = max(1, -(-expected // settings.pairs))
    # By plays, not by number: the first rows are the popular ones and have nearly all the pairs.
    bounds = _bounds(pairs, size, blocks)
    parts: list[Table] = []
    for low, high in pairwise(bounds):
        parts.append(strongest(score(_count(pairs, low, high, size), low), settings.most))
        progress(high / size if size else 1.0)
    return joined(parts)


def _bounds(pairs: Callable[[], Pairs], size: int, blocks: int) -> list[int]:
    """Where blocks of rows begin, so that each has about as many pairs."""
    if not size:
        return [0]
    begun = np.zeros(size, np.int64)
    for first, _, _ in pairs():
        begun += np.bincount(first, minlength=size)
    share = np.cumsum(begun) / max(1, begun.sum())
    inner = np.searchsorted(share, np.arange(1, blocks) / blocks) + 1
    bounds: list[int] = np.unique(np.concatenate(([0], np.minimum(inner, size), [size]))).tolist()
    return bounds


def _count(pairs: Callable[[], Pairs], low: int, high: int, size: int) -> csr_matrix:
    shape = (high - low, size)
    none = np.empty(0, np.int32)
    total = coo_matrix((none.astype(np.float32), (none, none)), shape=shape).tocsr()
    for first, second, weights in pairs():
        mine = (first >= low) & (first < high)
        part = coo_matrix((weights[mine], (first[mine] - low, second[mine])), shape=shape)
        total = total + part.tocsr()
    return total


def joined(parts: Sequence[Table]) -> Table:
    """The rows of several tables of the same items, one table after the other."""
    if not parts:
        return Table(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return Table(
        np.concatenate(([0], np.cumsum(lengths))),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def strongest(block: csr_matrix, most: int) -> Table:
    """The strongest `most` of each row, strongest first; ties by row, so that the same history gives the same table."""
    counts = np.diff(block.indptr)
    rows = np.repeat(np.arange(block.shape[0]), counts)
    order = np.lexsort((block.indices, -block.data, rows))
    rank = np.arange(len(order)) - np.repeat(block.indptr[:-1], counts)
    kept = order[rank < most]
    return Table(
        np.concatenate(([0], np.cumsum(np.minimum(counts, most)))).astype(np.int64),
        block.indices[kept].astype(np.int32),
        block.data[kept].astype(np.float32),
    )
