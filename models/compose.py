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
        order = np.argsort(-scores, kind="stable")  # rows rise, so equals stand in the order of their rows
        if self._only is not None:
            order = order[kinds[order] == self._only]
        shelf, caps, rows = self._shelf, self._caps, merged.rows
        counted = np.stack((shelf.works[rows], shelf.artists[rows], kinds, shelf.releases[rows]), dtype=np.int64)
        limits = np.array((1, caps.artist, caps.kind, caps.release))
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


@compiled
def _has_room(at: int, taken: Rows, count: int, counted: Rows, limits: Rows) -> bool:
    """Whether a list of `count` has room for a candidate: whatever `counted` numbers, up to its limit; 0: no limit.

    A list is so short that looking through it is the fastest way.
    """
    for which in range(len(limits)):
        same = 0
        if limits[which] > 0:
            for place in range(count):
                same += counted[which, taken[place]] == counted[which, at]
            if same >= limits[which]:
                return False
    return True


@compiled
def _taken(order: Rows, counted: Rows, limits: Rows, n: int) -> Rows:
    """The first `n` candidates that there is room for."""
    taken, count = np.empty(min(n, len(order)), np.int64), 0
    for at in order:
        if count == len(taken):
            break
        if _has_room(at, taken, count, counted, limits):
            taken[count] = at
            count += 1
    return taken[:count]


@compiled
def _dialled(
    known: Rows, new: Rows, share: float, other: float, counted: Rows, limits: Rows, n: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Both lanes merged: the k-th taken from a lane scores share/(k + ½), and the lane with the higher score goes next.

    So of any first m tracks about share·m are known ones, as long as both lanes last, and scores fall by themselves.
    """
    most = min(n, len(known) + len(new))
    taken, scores, count = np.empty(most, np.int64), np.empty(most), 0
    at_known, at_new, score, other_score = 0, 0, 2.0 * share, 2.0 * other
    of_known, of_new = 0, 0
    while count < most and (at_known < len(known) or at_new < len(new)):
        if at_known == len(known) or (at_new < len(new) and other_score > score):
            head, value = new[at_new], other_score
            at_new += 1
            if not _has_room(head, taken, count, counted, limits):
                continue
            of_new += 1
            other_score = other / (of_new + 0.5)
        else:
            head, value = known[at_known], score
            at_known += 1
            if not _has_room(head, taken, count, counted, limits):
                continue
            of_known += 1
            score = share / (of_known + 0.5)
        taken[count], scores[count] = head, value
        count += 1
    return taken[:count], scores[:count]
