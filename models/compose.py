"""The last stage: from scored candidates to one list."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ranker.merge import Merged
from models.sources.shelf import Shelf

FAINT = 1e-6  # a lane whose share is nothing still gives what the other cannot


class Pick(Struct, frozen=True, gc=False):
    """One track of a list: which source it is owed to, as which of its candidates."""

    row: int
    score: float
    source: int
    position: int


class Composer:
    """Puts candidates in order, by their scores or by the dial, under the artist cap, no work twice."""

    def __init__(self, shelf: Shelf, familiar: float | None, artist_cap: int) -> None:
        """`familiar`: the share of known tracks; None: what the scores say. `artist_cap` 0: no cap."""
        self._artists, self._works = shelf.artists, shelf.works
        self._cap = artist_cap
        self._shares = None if familiar is None else (max(familiar, FAINT), max(1.0 - familiar, FAINT))

    def compose(self, merged: Merged, scores: NDArray[np.floating], known: NDArray[np.bool_], n: int) -> list[Pick]:
        """At most `n` tracks, best first, scores falling; `known` are those that the listener has played."""
        order = np.lexsort((merged.rows, -scores))
        if self._shares is None:
            return self._taken(merged, ((at, float(scores[at])) for at in order.tolist()), n)
        return self._taken(merged, _dialled(order[known[order]], order[~known[order]], self._shares), n)

    def _taken(self, merged: Merged, ranked: Iterator[tuple[int, float]], n: int) -> list[Pick]:
        rows = merged.rows
        works, artists = self._works[rows].tolist(), self._artists[rows].tolist()
        picks: list[Pick] = []
        seen: set[int] = set()
        by_artist: dict[int, int] = {}
        for at, score in ranked:
            if len(picks) == n:
                break
            work, artist = works[at], artists[at]
            if work in seen or (self._cap and by_artist.get(artist, 0) >= self._cap):
                continue
            seen.add(work)
            by_artist[artist] = by_artist.get(artist, 0) + 1
            picks.append(Pick(int(rows[at]), score, int(merged.sources[at]), int(merged.positions[at])))
        return picks


def _dialled(
    known: NDArray[np.int64], new: NDArray[np.int64], shares: tuple[float, float]
) -> Iterator[tuple[int, float]]:
    """Both lanes merged: the k-th of a lane scores share/(k + ½), and the lane with the higher score goes first.

    So of any first m tracks about share·m are known ones, as long as both lanes last, and scores fall by themselves.
    """
    lanes = (known.tolist(), new.tolist())
    scored = [(share / (k + 0.5), lane, at) for lane, share in enumerate(shares) for k, at in enumerate(lanes[lane])]
    scored.sort(key=lambda each: (-each[0], each[1]))
    return ((at, score) for score, _, at in scored)
