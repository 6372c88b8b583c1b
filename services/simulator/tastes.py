"""What the listeners like: several tastes each, a mixture that drifts. This is the truth a recommender has to find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.catalogue import Catalogue
from services.simulator.charts import Charts
from services.simulator.settings import CrowdSettings
from services.simulator.space import TASTE_SPREAD, D, match, quantised

FAVOURITE_BONUS = 1.5  # added to the affinity of a favourite artist's tracks
FAVOURITES_CHANGE = 0.1 / 7  # a favourite artist is replaced with this chance a day
MOOD_SPREAD = 0.8  # of the log of a taste's share in the mixture
MOOD_WEEKS = 6.0  # how long a taste stays in or out of fashion with its listener
CANDIDATES = 6  # tracks looked at before one is taken


@dataclass
class Tastes:
    """K tastes for each of L listeners; one day further with every `turn`."""

    genre: NDArray[np.int64]  # (L, K)
    offset: NDArray[np.float64]  # (L, K, D) from the genre's centre
    mood: NDArray[np.float64]  # (L, K) log share, up to a constant
    favourites: NDArray[np.int64]  # (L, K, F) artists
    vectors: NDArray[np.float32]  # (L, K, D) centre + offset, quantised
    reach: NDArray[np.float64]  # (L, K) running shares of the tastes: the last is 1

    @property
    def share(self) -> NDArray[np.float64]:
        """The share of each taste in its listener's mixture. (L, K), rows sum to 1."""
        p = np.exp(self.mood)
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    def turn(self, settings: CrowdSettings, catalogue: Catalogue, charts: Charts, rng: np.random.Generator) -> None:
        """One day of drift.

        Offsets and moods are Ornstein-Uhlenbeck processes: they wander, yet keep their spread for ever. Now and then a
        taste gives way to a new one, and a favourite artist to another.
        """
        spread = TASTE_SPREAD / np.sqrt(D)
        stay = np.sqrt(max(0.0, 1.0 - (settings.drift / TASTE_SPREAD) ** 2 / 7))
        self.offset = _wander(self.offset, stay, spread, rng)
        self.mood = _wander(self.mood, np.exp(-1 / (7 * MOOD_WEEKS)), MOOD_SPREAD, rng)
        born = rng.random(self.genre.shape) < 1 / (7 * settings.new_taste_weeks)
        fresh = charts.genres(rng.random(self.genre.shape))
        self.genre = np.where(born, fresh, self.genre)
        self.offset = np.where(born[..., None], spread * rng.standard_normal(self.offset.shape), self.offset)
        self.settle(catalogue)
        changed = born[..., None] | (rng.random(self.favourites.shape) < FAVOURITES_CHANGE)
        where = np.argwhere(changed)
        self.favourites[changed] = _favourites(self, where[:, 0], where[:, 1], settings, catalogue, charts, rng)

    def settle(self, catalogue: Catalogue) -> None:
        """Work out what is used all day long from what drifts."""
        self.vectors = quantised((catalogue.centres[self.genre] + self.offset).astype(np.float32))
        self.reach = np.cumsum(self.share, axis=1)
        self.reach[:, -1] = 1.0


def make_tastes(settings: CrowdSettings, catalogue: Catalogue, charts: Charts, rng: np.random.Generator) -> Tastes:
    """The tastes of a crowd on the day before the first; genres by how much is listened to in them."""
    shape = (settings.listeners, settings.tastes)
    tastes = Tastes(
        genre=charts.genres(rng.random(shape)),
        offset=TASTE_SPREAD / np.sqrt(D) * rng.standard_normal((*shape, D)),
        mood=MOOD_SPREAD * rng.standard_normal(shape),
        favourites=np.zeros((*shape, settings.favourites), np.int64),
        vectors=np.empty((*shape, D), np.float32),
        reach=np.empty(shape),
    )
    tastes.settle(catalogue)
    where = np.argwhere(np.ones_like(tastes.favourites))
    chosen = _favourites(tastes, where[:, 0], where[:, 1], settings, catalogue, charts, rng)
    tastes.favourites[:] = chosen.reshape(tastes.favourites.shape)
    return tastes


def affinity(
    tastes: Tastes, catalogue: Catalogue, pull: float, listener: int, tracks: NDArray[np.integer]
) -> NDArray[np.float64]:
    """How much a listener truly likes tracks, (n,): log of the sum over the tastes of share · e^(pull · match + bonus).

    Popularity is not in it: it says what would be chosen if all tracks were equally well known.
    """
    fit = pull * (catalogue.vectors[tracks].astype(np.float64) @ tastes.vectors[listener].T)
    favourite = np.zeros((len(catalogue.artists), fit.shape[1]))
    np.put_along_axis(favourite, tastes.favourites[listener].T, FAVOURITE_BONUS, axis=0)
    fit += favourite[catalogue.artist_of[tracks]] + np.log(tastes.share[listener])
    return np.asarray(np.logaddexp.reduce(fit, axis=1), np.float64)


def _wander(x: NDArray[np.float64], stay: float, spread: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(stay * x + spread * np.sqrt(1 - stay**2) * rng.standard_normal(x.shape))


def _favourites(
    tastes: Tastes,
    listener: NDArray[np.int64],
    taste: NDArray[np.int64],
    settings: CrowdSettings,
    catalogue: Catalogue,
    charts: Charts,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """A favourite artist for each (listener, taste): the maker of a well-known track that suits the taste."""
    genre = np.broadcast_to(tastes.genre[listener, taste][:, None], (len(listener), CANDIDATES))
    tracks = charts.of_genre(genre, rng.random(genre.shape))
    lean = settings.taste_pull * match(tastes.vectors[listener, taste], catalogue.vectors[tracks])
    best = np.argmax(lean + rng.gumbel(size=genre.shape), axis=1)
    return np.asarray(catalogue.artist_of[tracks[np.arange(len(tracks)), best]], np.int64)
