"""The mix "playlist": new tracks that sound like the five that a listener plays most, no artist twice in a row.

Candidates are the nearest by sound of each of the five; the pair network says how alike each is to each, and a
candidate scores by its best pair. Without that network its place among the nearest counts.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compose import Pick
from models.ranker.merge import Merged
from models.release import Release
from models.sources.base import Batch, Rows
from models.sources.sounds import Sounds

QUOTA = 8.0  # candidates for each track of a playlist
ROOM = 4  # times as many are put in order: some fall out between two of one artist


class Alike:
    """Ranks by the pair network."""

    def __init__(self, release: Release, source: Sounds) -> None:
        self._sounds, self._source = release.sounds, source

    def scores(self, batch: Batch, at: int, merged: Merged) -> NDArray[np.floating]:
        """See models.ranker.fusion.Ranker."""
        sounds = self._sounds
        if sounds is None or sounds.pairs is None or not len(merged.rows):
            return merged.fused
        seeds = sounds.places(self._source.seeds(batch.listeners[at]))
        found: NDArray[np.floating] = sounds.pairs.alike(seeds, sounds.places(merged.rows)).max(axis=0)
        return found


def spaced(picks: Sequence[Pick], artists: Rows, n: int) -> list[Pick]:
    """At most `n`, in their order, but an artist never twice in a row: who would be waits for the next turn.

    Scores fall: one that had to wait has at most that of the track before it.
    """
    waiting, taken = list(picks), list[Pick]()
    last, ceiling = -1, float("inf")
    while waiting and len(taken) < n:
        at = next((at for at, pick in enumerate(waiting) if artists[pick.row] != last), None)
        if at is None:
            break
        pick = waiting.pop(at)
        last, ceiling = int(artists[pick.row]), min(ceiling, pick.score)
        taken.append(Pick(pick.row, ceiling, pick.source, pick.position))
    return taken
