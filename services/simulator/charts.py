"""Drawing tracks by their popularity of the day: among all, of one genre, of one artist."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.catalogue import Catalogue

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Charts:
    """Popularities of one day, summed up for drawing. Tracks that are not out yet weigh nothing."""

    weight: Floats  # (T,) of the day
    by_genre: Ints  # (T,) the tracks, genre after genre
    genre_bounds: Ints  # (genres + 1,) positions in by_genre
    genre_sums: Floats  # (T + 1,) running sums along by_genre
    artist_bounds: Ints  # (A + 1,) positions in the tracks themselves
    artist_sums: Floats  # (T + 1,)

    def of_genre(self, genre: Ints, u: Floats) -> Ints:
        """A track of each genre for each u in [0, 1); both of one shape, which is also the answer's."""
        return self.by_genre[_draw(self.genre_sums, self.genre_bounds, genre, u)]

    def of_artist(self, artist: Ints, u: Floats) -> Ints:
        """A track of each artist for each u in [0, 1)."""
        return _draw(self.artist_sums, self.artist_bounds, artist, u)

    def genres(self, u: Floats) -> Ints:
        """A genre for each u in [0, 1), by what is listened to in it."""
        return _genre_at(self, u * self.genre_sums[-1])


def charts_of(catalogue: Catalogue, day: int, growth_days: float) -> Charts:
    """The charts of a day: a track that came out d days ago has 1 - exp(-(d + 1) / growth_days) of its popularity."""
    age = day - catalogue.day_out
    grown = np.where(catalogue.day_out > 0, 1.0 - np.exp(-(np.maximum(age, 0) + 1.0) / growth_days), 1.0)
    weight = np.where(age >= 0, catalogue.weight * grown, 0.0)
    genre = catalogue.genre_of[catalogue.artist_of]
    by_genre = np.argsort(genre, kind="stable")
    bounds = np.searchsorted(genre[by_genre], np.arange(len(catalogue.centres) + 1))
    return Charts(
        weight=weight,
        by_genre=by_genre,
        genre_bounds=bounds,
        genre_sums=np.concatenate(([0.0], np.cumsum(weight[by_genre]))),
        artist_bounds=catalogue.artist_first,
        artist_sums=np.concatenate(([0.0], np.cumsum(weight))),
    )


def _draw(sums: Floats, bounds: Ints, group: Ints, u: Floats) -> Ints:
    """Positions inside bounds[group]..bounds[group + 1], each with a chance of its share of the group's weight."""
    low, high = sums[bounds[group]], sums[bounds[group + 1]]
    # Strictly below `high`, or rounding would reach past the group's last track that is out.
    target = np.minimum(low + u * (high - low), np.nextafter(high, 0.0))
    return np.searchsorted(sums, target, side="right") - 1


def _genre_at(charts: Charts, target: Floats) -> Ints:
    edges = charts.genre_sums[charts.genre_bounds[1:]]
    return np.minimum(np.searchsorted(edges, target, side="right"), len(edges) - 1)
