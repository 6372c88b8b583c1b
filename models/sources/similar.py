"""Similar artists: what is played most of artists that others play beside the listener's, and that are new to them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.explain import beside_artist
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Rows
from models.sources.liked import liked
from models.sources.shelf import Shelf
from models.sources.sparse import summed

OWN = 25  # strongest artists of the listener, whose neighbours are looked at
OTHERS = 60  # similar artists …
EACH = 12  # … and tracks of each


class Similar:
    """Tracks i of artists a that the listener has met nothing of.

    Best by Σ log(1 + weight of own b)·s(a, b) · listeners of i / √(listeners of all of a's tracks).
    """

    name = "similar"

    def __init__(self, release: Release, shelf: Shelf) -> None:
        self._shelf, self._names, self._table = shelf, release.catalogue.artists, release.beside
        listeners = release.catalogue.frame["listeners"].to_numpy().astype(np.float64)
        of_artist = np.bincount(shelf.artists, listeners)[shelf.artists] if len(shelf) else listeners
        self._shares = listeners / np.sqrt(np.maximum(of_artist, 1.0))

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        return [self._of(batch, at, quota) for at in range(len(batch.listeners))]

    def _of(self, batch: Batch, of_listener: int, quota: int) -> Candidates:
        listener = batch.listeners[of_listener]
        own, weights = liked(self._shelf, listener, OWN)
        at, of = self._table.entries(self._shelf.heads(own))
        if not len(at):
            return NOTHING
        votes = np.log1p(weights)[of] * self._table.weights[at]
        near = summed(self._table.rows[at].astype(np.int64), votes, batch.scratch)
        new = ~np.isin(self._shelf.artists[near.rows], self._shelf.artists[listener.rows])
        heads, likeness = near.rows[new], near.weights[new]
        best = np.argsort(-likeness, kind="stable")[:OTHERS]
        rows, of = self._shelf.first_of_artists(self._shelf.artists[heads[best]], np.full(len(best), EACH))
        scores = likeness[best][of] * self._shares[rows]
        fine = np.flatnonzero(batch.unheard.keeps(of_listener, rows) & (scores > 0))
        rows = rows[fine[np.argsort(-scores[fine], kind="stable")]][:quota]

        def reasons(positions: Sequence[int]) -> list[str]:
            causes = self._causes(own, weights, rows[list(positions)])
            return [beside_artist(self._names[head]) for head in causes]

        return Candidates(rows, reasons)

    def _causes(self, own: Rows, weights: NDArray[np.float64], rows: Rows) -> list[int]:
        """For each row the first row of the own artist that speaks most for its artist."""
        heads = self._shelf.heads(own)
        at, of = self._table.entries(heads)
        votes = np.log1p(weights)[of] * self._table.weights[at]
        order = np.argsort(votes, kind="stable")  # the last one written is the strongest
        cause = {int(self._table.rows[at[each]]): int(heads[of[each]]) for each in order}
        return [cause[head] for head in self._shelf.heads(self._shelf.artists[rows]).tolist()]
