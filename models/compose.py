"""The last stage: from scored candidates to one list."""

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.compiled import compiled
from models.ranker.merge import Merged
from models.sources.base import KNOWN, Rows
from models.sources.shelf import Shelf

FAINT = 1e-6  # a lane whose share is nothing still gives what the other cannot


# Of the candidates: rows, and kinds; of the catalogue by row: works, artists, and releases.
Counted = tuple[Rows, Rows, Rows, NDArray[np.integer], Rows]
Limits = tuple[int, int, int, int]  # of works, artists, kinds, releases


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
        # A cap on kinds would bend what was asked for: one kind alone, or the share of the known that the dial says.
        self._caps = caps if only is None and familiar is None else caps._replace(kind=0)
        self._only = only
        self._shares = None if familiar is None else (max(familiar, FAINT), max(1.0 - familiar, FAINT))

    def compose(self, merged: Merged, scores: NDArray[np.floating], kinds: NDArray[np.integer], n: int) -> list[Pick]:
        """At most `n` tracks, best first, scores falling; `kinds`: KNOWN, BEGUN or UNSEEN."""
        order = falling(scores)  # rows rise, so equals stand in the order of their rows
        if self._only is not None:
            order = order[kinds[order] == self._only]
        shelf, caps, rows = self._shelf, self._caps, merged.rows
        counted = rows, shelf.works, shelf.artists, kinds, shelf.releases
        limits = (1, caps.artist, caps.kind, caps.release)
        if self._shares is None:
            taken = _taken(order, counted, limits, n)
            values = scores[taken]
        else:
            known = kinds[order] == KNOWN
            taken, values = _dialled(order[known], order[~known], *self._shares, counted, limits, n)
        columns = (
            rows[taken],
            np.round(np.asarray(values, np.float64), 6),
            merged.sources[taken],
            merged.positions[taken],
        )
        return [Pick(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]


def falling(scores: NDArray[np.floating]) -> Rows:
    """Where the scores stand, highest first, equals in their order. A stable sort would take three times as long."""
    order = np.argsort(-scores)
    _settle(order, scores)
    return order


@compiled
def _settle(order: Rows, scores: NDArray[np.floating]) -> None:
    """Puts equals in their order."""
    begin = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or scores[order[end]] != scores[order[begin]]:
            if end - begin > 1:
                order[begin:end] = np.sort(order[begin:end])
            begin = end


@compiled
def _has_room(at: int, held: Rows, count: int, counted: Counted, limits: Limits) -> bool:
    """Whether a list of `count` has room for a candidate: whatever is counted, up to its limit; 0: no limit.

    `held`: what is counted of those in the list, and where it has room, of this one. A list is so short that looking
    through it is the fastest way.
    """
    rows, works, artists, kinds, releases = counted
    row = rows[at]
    held[0, count], held[1, count], held[2, count], held[3, count] = works[row], artists[row], kinds[at], releases[row]
    for which in range(len(limits)):
        same = 0
        if limits[which] > 0:
            for place in range(count):
                same += held[which, place] == held[which, count]
            if same >= limits[which]:
                return False
    return True


@compiled
def _taken(order: Rows, counted: Counted, limits: Limits, n: int) -> Rows:
    """The first `n` candidates that there is room for."""
    most = min(n, len(order))
    taken, count, held = np.empty(most, np.int64), 0, np.empty((len(limits), most + 1), np.int64)
    for at in order:
        if count == most:
            break
        if _has_room(at, held, count, counted, limits):
            taken[count] = at
            count += 1
    return taken[:count]


@compiled
def _dialled(
    known: Rows, new: Rows, share: float, other: float, counted: Counted, limits: Limits, n: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Both lanes merged: the k-th taken from a lane scores share/(k + ½), and the lane with the higher score goes next.

    So of any first m tracks about share·m are known ones, as long as both lanes last, and scores fall by themselves.
    """
    lanes, shares = (known, new), (share, other)
    most = min(n, len(known) + len(new))
    taken, scores, count = np.empty(most, np.int64), np.empty(most), 0
    held = np.empty((len(limits), most + 1), np.int64)
    looked, of = np.zeros(2, np.int64), np.zeros(2, np.int64)
    while count < most and looked.sum() < len(known) + len(new):
        ahead = shares[1] / (of[1] + 0.5) > shares[0] / (of[0] + 0.5)
        lane = 1 if looked[0] == len(known) or (looked[1] < len(new) and ahead) else 0
        at = lanes[lane][looked[lane]]
        looked[lane] += 1
        if _has_room(at, held, count, counted, limits):
            taken[count], scores[count] = at, shares[lane] / (of[lane] + 0.5)
            of[lane] += 1
            count += 1
    return taken[:count], scores[:count]
