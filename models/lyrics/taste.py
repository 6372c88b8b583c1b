"""What a listener likes to hear sung about: a few points among the songs' vectors, the newest plays counting most."""

import numpy as np
from numpy.typing import NDArray

from models.lyrics.encoder import Matrix, unit
from models.sources.base import Listener, Rows

STRONGEST = 100  # of the listener's tracks with lyrics
MOST = 4  # points
EACH = 8  # tracks that a further point needs
ROUNDS = 10


def own(listener: Listener, song_of: Rows, vectors: Matrix) -> tuple[Rows, NDArray[np.float64]]:
    """The listener's strongest songs that have a vector, and their weights: plays, decayed by their age."""
    known = np.flatnonzero((listener.weights > 0) & (listener.rows < len(song_of)))
    known = known[song_of[listener.rows[known]] >= 0]
    strongest = known[np.argsort(-listener.weights[known], kind="stable")[:STRONGEST]]
    found = song_of[listener.rows[strongest]]
    there = np.any(vectors[found] != 0, axis=1) if len(found) else np.empty(0, dtype=bool)
    return found[there], listener.weights[strongest][there]


def points(vectors: Matrix, weights: NDArray[np.float64]) -> tuple[Matrix, NDArray[np.int64]]:
    """Centres of length 1 of a listener's songs, the heaviest first, and the centre of each song.

    Weighted spherical k-means (Dhillon & Modha 2001), begun with the strongest song and then with the one that is
    farthest from those there are; without chance.
    """
    if not len(vectors):
        return vectors[:0], np.empty(0, dtype=np.int64)
    count = min(MOST, max(1, len(vectors) // EACH))
    chosen = [int(weights.argmax())]
    for _ in range(count - 1):
        chosen.append(int((vectors @ vectors[chosen].T).max(axis=1).argmin()))
    centres = vectors[chosen]
    of = np.zeros(len(vectors), dtype=np.int64)
    for _ in range(ROUNDS):
        of = (vectors @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, of, vectors * weights[:, None].astype(np.float32))
        centres = np.where(np.any(sums != 0, axis=1, keepdims=True), unit(sums), centres)
    heavy = np.argsort(-np.bincount(of, weights, count), kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[heavy] = np.arange(count)
    return centres[heavy], place[of]
