"""Lyrics-alikes: unheard songs whose words lie near what the listener likes to hear sung about."""

from collections.abc import Sequence

import numpy as np

from models.explain import words_like
from models.index import search
from models.lyrics.songs import Songs
from models.lyrics.taste import own, points
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Rows

CLUSTERS = 3  # of the songs' clusters, the nearest to a point of taste: only songs of these are proposed
WIDER = 8  # times as many are searched: many are known or of another cluster


class Lyrics:
    """For each point of a listener's lyric taste the nearest songs, in turn. Nothing from a release without lyrics."""

    name = "lyrics"

    def __init__(self, release: Release) -> None:
        self._catalogue, self._part = release.catalogue, release.lyrics

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        part = self._part
        if part is None:
            return [NOTHING] * len(batch.listeners)
        return [self._of(part, batch, at, quota) for at in range(len(batch.listeners))]

    def _of(self, part: Songs, batch: Batch, at: int, quota: int) -> Candidates:
        songs, weights = own(batch.listeners[at], part.song_of, part.vectors)
        centres, _ = points(part.vectors[songs], weights)
        if not len(centres):
            return NOTHING
        _, near = search(part.index, centres, WIDER * quota)
        matching = np.argsort(-(centres @ part.centres.T), axis=1, kind="stable")[:, :CLUSTERS]
        found = []
        for nearest, clusters in zip(near, matching, strict=True):
            usable = nearest[nearest >= 0]
            usable = usable[np.isin(part.clusters[usable], clusters)]
            found.append(usable[batch.unheard.keeps(at, part.rows[usable])])
        turns = np.concatenate([np.arange(len(each)) for each in found])
        merged = np.concatenate(found)[np.argsort(turns, kind="stable")]
        _, first = np.unique(merged, return_index=True)
        chosen = merged[np.sort(first)][:quota]
        return self._explained(part, chosen, songs)

    def _explained(self, part: Songs, chosen: Rows, songs: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            nearest = (part.vectors[chosen[list(positions)]] @ part.vectors[songs].T).argmax(axis=1)
            causes = part.rows[songs[nearest]].tolist()
            return [words_like(self._catalogue.titles[row], self._catalogue.artists[row]) for row in causes]

        return Candidates(part.rows[chosen], reasons)
