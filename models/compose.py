"""The last stage: from ranked candidates to one list."""

from collections.abc import Iterator, Sequence
from itertools import chain, count, repeat

from msgspec import Struct

from models.sources.base import Candidates, Lane
from models.sources.shelf import Shelf

Head = tuple[int, int, int, int, int]

FAINT = 1e-6  # a lane whose share is nothing still gives what the other cannot


class Pick(Struct, frozen=True, gc=False):
    """One track of a list: which source brought it, as which of its candidates."""

    row: int
    score: float
    source: int
    position: int


class Composer:
    """Merges the lanes of known and of new tracks by the dial, under the artist cap, no work twice."""

    def __init__(self, shelf: Shelf, lanes: Sequence[Lane], familiar: float, artist_cap: int) -> None:
        """`lanes[source]` says where a source's candidates go."""
        self._artists, self._works = shelf.artists, shelf.works
        self._cap = artist_cap
        # The fallback is the tail of the new: it is reached when those run out.
        new = [at for at, lane in enumerate(lanes) if lane == "new"]
        fallback = [at for at, lane in enumerate(lanes) if lane == "fallback"]
        self._familiar = [at for at, lane in enumerate(lanes) if lane == "familiar"]
        self._new = new + fallback
        self._shares = (max(familiar, FAINT), max(1.0 - familiar, FAINT))

    def compose(self, proposals: Sequence[Candidates], n: int) -> list[Pick]:
        """At most `n` tracks, best first, scores falling.

        The k-th track taken from a lane scores share/(k + ½), and the lane with the higher score goes first. So of any
        first m tracks about share·m are known ones, as long as both lanes last, and the scores fall by themselves.
        """
        lanes = (self._lane(proposals, self._familiar), self._lane(proposals, self._new))
        heads = [next(lane, None) for lane in lanes]
        scores = [2.0 * share for share in self._shares]  # of the next track of each lane
        taken = [0, 0]
        picks: list[Pick] = []
        works: set[int] = set()
        by_artist: dict[int, int] = {}
        while len(picks) < n:
            at = 1 if heads[0] is None or (heads[1] is not None and scores[1] > scores[0]) else 0
            head = heads[at]
            if head is None:  # then both are
                break
            heads[at] = next(lanes[at], None)
            row, artist, work, source, position = head
            if work in works or by_artist.get(artist, 0) >= self._cap:
                continue
            works.add(work)
            by_artist[artist] = by_artist.get(artist, 0) + 1
            picks.append(Pick(row, scores[at], source, position))
            taken[at] += 1
            scores[at] = self._shares[at] / (taken[at] + 0.5)
        return picks

    def _lane(self, proposals: Sequence[Candidates], sources: list[int]) -> Iterator[Head]:
        """(row, artist, work, source, position), source after source."""
        lanes = []
        for source in sources:
            rows = proposals[source].rows
            columns = (rows.tolist(), self._artists[rows].tolist(), self._works[rows].tolist())
            lanes.append(zip(*columns, repeat(source), count(), strict=False))
        return chain.from_iterable(lanes)
