"""The last stage: from scored candidates to one list."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ranker.merge import Merged
from models.sources.base import KNOWN
from models.sources.shelf import Shelf

FAINT = 1e-6  # a lane whose share is nothing still gives what the other cannot


class Pick(Struct, frozen=True, gc=False):
    """One track of a list: which source it is owed to, as which of its candidates."""

    row: int
    score: float
    source: int
    position: int


class Caps(NamedTuple):
    """How many tracks of one artist, one kind and one release a list may hold; 0: any number."""

    artist: int = 0
    kind: int = 0
    release: int = 0


class Composer:
    """Puts candidates in order, by their scores or by the dial, under the caps, no work twice."""

    def __init__(self, shelf: Shelf, familiar: float | None, caps: Caps, only: int | None = None) -> None:
        """`familiar`: the share of known tracks; None: what the scores say. `only`: of that kind."""
        self._shelf = shelf
        self._caps = caps._replace(kind=0) if only is not None else caps
        self._only = only
        self._shares = None if familiar is None else (max(familiar, FAINT), max(1.0 - familiar, FAINT))

    def compose(self, merged: Merged, scores: NDArray[np.floating], kinds: NDArray[np.integer], n: int) -> list[Pick]:
        """At most `n` tracks, best first, scores falling; `kinds`: KNOWN, BEGUN or UNSEEN."""
        order = np.lexsort((merged.rows, -scores))
        if self._only is not None:
            order = order[kinds[order] == self._only]
        shelf, caps, rows = self._shelf, self._caps, merged.rows
        columns = ((caps.artist, shelf.artists[rows]), (caps.kind, kinds), (caps.release, shelf.releases[rows]))
        room = _Room(shelf.works[rows].tolist(), [(cap, column.tolist()) for cap, column in columns if cap])
        ranked: Iterator[tuple[int, float]]
        if self._shares is None:
            ranked = ((at, float(scores[at])) for at in order.tolist() if room.take(at))
        else:
            known = kinds == KNOWN
            ranked = _dialled((order[known[order]].tolist(), order[~known[order]].tolist()), self._shares, room)
        return [
            Pick(int(merged.rows[at]), score, int(merged.sources[at]), int(merged.positions[at]))
            for at, score in islice(ranked, n)
        ]


class _Room:
    """What a list still has room for: a work once, whatever else is counted up to its cap."""

    def __init__(self, works: list[int], capped: list[tuple[int, list[int]]]) -> None:
        """`capped`: a cap, and what each candidate is of: an artist, a kind, a release."""
        self._works = works
        self._taken: set[int] = set()
        self._capped: list[tuple[int, list[int], dict[int, int]]] = [(cap, column, {}) for cap, column in capped]

    def take(self, at: int) -> bool:
        """Take a candidate into the list; false when there is no room for it."""
        work = self._works[at]
        if work in self._taken or any(counts.get(column[at], 0) >= cap for cap, column, counts in self._capped):
            return False
        for _, column, counts in self._capped:
            counts[column[at]] = counts.get(column[at], 0) + 1
        self._taken.add(work)
        return True


def _dialled(
    lanes: tuple[list[int], list[int]], shares: tuple[float, float], room: _Room
) -> Iterator[tuple[int, float]]:
    """Both lanes merged: the k-th taken from a lane scores share/(k + ½), and the lane with the higher score goes next.

    So of any first m tracks about share·m are known ones, as long as both lanes last, and scores fall by themselves.
    """
    waiting = tuple(iter(lane) for lane in lanes)
    heads = [next(lane, None) for lane in waiting]
    scores, taken = [2.0 * share for share in shares], [0, 0]
    while True:
        lane = 1 if heads[0] is None or (heads[1] is not None and scores[1] > scores[0]) else 0
        head = heads[lane]
        if head is None:  # then both are
            return
        heads[lane] = next(waiting[lane], None)
        if room.take(head):
            yield head, scores[lane]
            taken[lane] += 1
            scores[lane] = shares[lane] / (taken[lane] + 0.5)
