"""What there is to play: made-up artists, their releases and tracks, and where each lies in the space of tastes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.names import distinct_artists, titles
from services.simulator.settings import DAY_MS, CrowdSettings
from services.simulator.space import ARTIST_SPREAD, TRACK_SPREAD, genre_centres, near, quantised
from services.simulator.words import GENRES

LARGE = 2**31


@dataclass(frozen=True)
class Catalogue:
    """A artists, R releases, T tracks. Tracks of a release, and releases of an artist, stand together, in order."""

    centres: NDArray[np.float32]  # (genres, D)
    genre_of: NDArray[np.int32]  # (A,)
    artist_first: NDArray[np.int64]  # (A + 1,) the first track of each artist, then T
    release_first: NDArray[np.int64]  # (R + 1,) the first track of each release, then T
    artist_of: NDArray[np.int32]  # (T,)
    release_of: NDArray[np.int32]  # (T,)
    vectors: NDArray[np.float32]  # (T, D)
    weight: NDArray[np.float64]  # (T,) popularity once it is grown up
    day_out: NDArray[np.int32]  # (T,) the simulated day it comes out; up to 0: it was there before
    duration_ms: NDArray[np.int64]  # (T,)
    year: NDArray[np.int64]  # (R,)
    artists: list[str]
    releases: list[str]
    titles: list[str]

    @property
    def size(self) -> int:
        """How many tracks, those still to come included."""
        return len(self.titles)


def make_catalogue(settings: CrowdSettings, rng: np.random.Generator) -> Catalogue:
    """A catalogue of exactly `settings.tracks` tracks; every artist and every genre has one from the first day."""
    centres = genre_centres(settings.genres, rng)
    popularity, genre_of = _artists(settings, rng)
    counts = _tracks_per_artist(settings.tracks, popularity, rng)
    release_artist, sizes = _releases(counts, rng)
    day_out = _days_out(settings, release_artist, rng)
    release_of = np.repeat(np.arange(len(sizes)), sizes)
    artist_of = release_artist[release_of]
    artist_vectors = near(centres[genre_of], ARTIST_SPREAD, rng)
    track_genre = genre_of[artist_of]
    release_titles = titles(genre_of[release_artist], release_artist, rng.integers(0, LARGE, (len(sizes), 5)))
    return Catalogue(
        centres=centres,
        genre_of=genre_of.astype(np.int32),
        artist_first=np.concatenate(([0], np.cumsum(counts))),
        release_first=np.concatenate(([0], np.cumsum(sizes))),
        artist_of=artist_of.astype(np.int32),
        release_of=release_of.astype(np.int32),
        vectors=quantised(near(artist_vectors[artist_of], TRACK_SPREAD, rng)),
        weight=_weights(settings, popularity, counts, rng),
        day_out=day_out[release_of].astype(np.int32),
        duration_ms=_durations(track_genre, rng),
        year=_years(settings, day_out),
        artists=distinct_artists(genre_of, rng.integers(0, LARGE, (settings.artists, 5))),
        releases=release_titles,
        titles=titles(track_genre, release_of, rng.integers(0, LARGE, (settings.tracks, 5))),
    )


def _artists(settings: CrowdSettings, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Popularity (Zipf over ranks, in the order of the artists shuffled) and genre of each artist, both (A,)."""
    ranks = rng.permutation(settings.artists) + 1
    # Genres differ in size, but none by more than about three to one.
    share = np.linspace(1.5, 0.5, settings.genres)
    genre_of = rng.choice(settings.genres, settings.artists, p=share / share.sum())
    genre_of[rng.permutation(settings.artists)[: settings.genres]] = np.arange(settings.genres)  # none is empty
    return np.asarray(ranks**-settings.artist_zipf, np.float64), genre_of


def _tracks_per_artist(tracks: int, popularity: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """At least one each; the well-known have made more, loosely. (A,), sums to `tracks`."""
    p = popularity**0.35 * rng.lognormal(0.0, 0.6, len(popularity))
    return 1 + rng.multinomial(tracks - len(popularity), p / p.sum())


def _releases(counts: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut each artist's tracks into singles, EPs and albums: (artist (R,), size (R,))."""
    low = np.array([1, 4, 8])
    wanted: list[int] = []
    owner, sizes = [], []
    for artist, left in enumerate(counts.tolist()):
        while left > 0:
            if not wanted:
                kind = rng.choice(3, 4096, p=[0.25, 0.20, 0.55])
                wanted = rng.integers(low[kind], np.array([3, 7, 15])[kind]).tolist()
            size = min(left, wanted.pop())
            owner.append(artist)
            sizes.append(size)
            left -= size
    return np.array(owner), np.array(sizes)


def _days_out(
    settings: CrowdSettings, release_artist: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The day each release comes out, ascending within an artist; an artist's first was there before day 0. (R,)."""
    n = len(release_artist)
    first = np.concatenate(([True], release_artist[1:] != release_artist[:-1]))
    # First releases are never new, so the others have to be so more often for the share to come out right.
    chance = min(1.0, settings.new_share / max(1.0 - first.mean(), 1e-9))
    new = ~first & (rng.random(n) < chance)
    before = -rng.exponential(8 * 365, n).astype(np.int64)
    day = np.where(new, rng.integers(1, settings.new_days + 1, n), before)
    return day[np.lexsort((day, release_artist))]


def _weights(
    settings: CrowdSettings, popularity: NDArray[np.float64], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """An artist's popularity, shared among the tracks by a Zipf law of their own, ranks in no order. (T,)."""
    tracks = int(counts.sum())
    artist_of = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((rng.random(tracks), artist_of))
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    inside = np.empty(tracks)
    inside[order] = (np.arange(tracks) - starts + 1.0) ** -settings.track_zipf
    total = np.bincount(artist_of, inside)
    return np.asarray(popularity[artist_of] * inside / total[artist_of], np.float64)


def _durations(genre: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Log-normal around the genre's median, whole seconds, 45 s to 20 min. (T,), ms."""
    median = np.array([g.seconds for g in GENRES])[genre]
    seconds = np.clip(median * rng.lognormal(0.0, 0.22, len(genre)), 45, 1200)
    return np.round(seconds).astype(np.int64) * 1000


def _years(settings: CrowdSettings, day_out: NDArray[np.int64]) -> NDArray[np.int64]:
    """The calendar year of each release, none before 1955. (R,)."""
    out = (settings.first_day_ms + day_out * DAY_MS).astype("datetime64[ms]")
    return np.maximum(out.astype("datetime64[Y]").astype(np.int64) + 1970, 1955)
