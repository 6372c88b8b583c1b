"""Which source brought the tracks of the lists, and their hits.

A track that several sources propose is owed to the one that proposes it highest: the source that a live list names.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Bootstrap, Figure
from models.evaluation.log import Flags, Numbers

PLACES, HITS = "share_of_places", "share_of_hits"

# system -> source -> figure of that name
Shares = dict[str, dict[str, dict[str, Figure]]]


class Owed(NamedTuple):
    """Which source each track of a list is owed to, as a number of `names`: those that were asked."""

    names: tuple[str, ...]
    of: Numbers


class BySource:
    """Counts places and hits of lists, one row a list."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._names: dict[str, tuple[str, ...]] = {}
        self._users: dict[str, list[int]] = {}
        self._counts: dict[str, list[NDArray[np.int64]]] = {}

    def add(self, system: str, user: int, owed: Owed | None, hits: Flags) -> None:
        """Take in a list; `hits` says of each rank whether it was right. A system without sources is left out."""
        if owed is None:
            return
        self._names[system] = owed.names
        of, right = owed.of[: self._depth], hits[: self._depth]
        counts = [np.bincount(each, minlength=len(owed.names)) for each in (of, of[right])]
        self._users.setdefault(system, []).append(user)
        self._counts.setdefault(system, []).append(np.stack(counts))

    def into(self, shares: Shares) -> None:
        """Add what each source has of all places and of all hits, of systems that ask several."""
        for system, names in self._names.items():
            if len(names) < 2:
                continue
            drawn = Bootstrap(np.array(self._users[system]))
            counts = np.array(self._counts[system], dtype=np.float64)  # (lists, places and hits, sources)
            one = np.zeros(len(counts), dtype=np.int64)
            for at, name in enumerate(names):
                figures = {
                    f"{which}@{self._depth}": drawn.ratio(table[:, at], table.sum(axis=1), one)
                    for which, table in ((PLACES, counts[:, 0]), (HITS, counts[:, 1]))
                }
                shares.setdefault(system, {}).setdefault(name, {}).update(figures)
