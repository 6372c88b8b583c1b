"""Sound-alikes: tracks, also such as nobody has played, that sound like what the listener plays most."""

from collections.abc import Sequence

import numpy as np

from models.explain import sounds_like
from models.index import search
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Listener, Rows

SEEDS = 5  # of the listener's most played tracks that were heard
STEP = 4  # how much further to search when too many of the nearest are known already


class Sounds:
    """The nearest of each seed, in turn: the first of each, then the second."""

    name = "sounds"

    def __init__(self, release: Release) -> None:
        self._release, self._sounds = release, release.sounds

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source. Nothing where the release knows no sounds."""
        if self._sounds is None:
            return [NOTHING] * len(batch.listeners)
        return [self._of(batch, at, quota) for at in range(len(batch.listeners))]

    def _of(self, batch: Batch, at: int, quota: int) -> Candidates:
        seeds = self.seeds(batch.listeners[at])
        if self._sounds is None or not len(seeds):
            return NOTHING
        vectors = self._sounds.vectors[self._sounds.places(seeds)].astype(np.float32)
        total, width = len(self._sounds.rows), 2 * quota
        while True:
            _, near = search(self._sounds.index, vectors, width)
            rows = np.where(near >= 0, self._sounds.rows[near], -1).T.ravel()  # the first of each seed, then the second
            of = np.tile(np.arange(len(seeds)), near.shape[1])
            fine = batch.unheard.keeps(at, rows)
            rows, of = rows[fine], of[fine]
            distinct, first = np.unique(rows, return_index=True)
            if len(distinct) >= quota or width >= total:
                break
            width *= STEP
        kept = np.sort(first)[:quota]
        return self._explained(rows[kept], seeds[of[kept]], seeds)

    def seeds(self, listener: Listener) -> Rows:
        """The tracks that the listener plays most, of those that were heard; ties by weight."""
        if self._sounds is None or not len(listener.rows):
            return listener.rows[:0]
        liked = np.flatnonzero((listener.weights > 0) & (self._sounds.places(listener.rows) >= 0))
        order = np.lexsort((-listener.weights[liked], -listener.plays[liked]))
        most: Rows = listener.rows[liked[order[:SEEDS]]]
        return most

    def _explained(self, rows: Rows, nearest: Rows, seeds: Rows) -> Candidates:
        """By the seed that the pair network says is most alike, as it ranks playlists; without one, by the nearest."""

        def reasons(positions: Sequence[int]) -> list[str]:
            titles, chosen = self._release.catalogue.titles, list(positions)
            of = nearest[chosen]
            if self._sounds is not None and self._sounds.pairs is not None:
                alike = self._sounds.pairs.alike(self._sounds.places(seeds), self._sounds.places(rows[chosen]))
                of = seeds[alike.argmax(axis=0)]
            return [sounds_like(titles[row]) for row in of.tolist()]

        return Candidates(rows, reasons)
