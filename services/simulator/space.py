"""The space of tastes: D numbers that say what a track sounds like and what a taste asks for."""

import numpy as np
from numpy.typing import NDArray

D = 8
ARTIST_SPREAD = 0.8  # how far the artists of a genre lie from its centre, of which every one has length 1
TRACK_SPREAD = 0.45  # how far the tracks of an artist lie from the artist
TASTE_SPREAD = 0.8  # how far the tastes for a genre lie from its centre

_STEP = 128.0


def genre_centres(genres: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A point of length 1 for each genre; some are closer to each other than others. (genres, D)."""
    centres = rng.standard_normal((genres, D))
    return np.asarray(centres / np.linalg.norm(centres, axis=1, keepdims=True), np.float32)


def near(points: NDArray[np.float32], spread: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Each point, moved by a normal step of about that length. (n, D)."""
    return np.asarray(points + spread / np.sqrt(D) * rng.standard_normal(points.shape), np.float32)


def quantised(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounded to steps of 1/128 within ±3.9. (n, D).

    Products and sums of such numbers are exact in float32, in whatever order a machine adds them up. So a session
    played alone (live) chooses to the last bit as one played among thousands (history).
    """
    return (np.clip(np.round(points * _STEP), -500, 500) / _STEP).astype(np.float32)


def match(tastes: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well tracks fit tastes: dot products over the last axis, about 1 in the taste's own genre and 0 far away.

    (n, D) with (n, D) gives (n,); (n, D) with (n, C, D) gives (n, C).
    """
    fit = np.einsum("nd,nd->n" if vectors.ndim == 2 else "nd,ncd->nc", tastes, vectors)
    return np.asarray(fit, np.float32)
