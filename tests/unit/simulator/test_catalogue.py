"""The catalogue: names, sizes, and what comes out later."""

from itertools import islice

import numpy as np
import polars as pl

from schemas.track import Track
from services.simulator.catalogue import make_catalogue
from services.simulator.charts import charts_of
from services.simulator.crowd import make_crowd
from services.simulator.names import distinct_artists
from services.simulator.settings import DAY_MS, CrowdSettings
from services.simulator.words import GENRES
from tests.unit.simulator.conftest import SMALL, Lived


def test_sizes_are_as_asked_and_the_parts_fit() -> None:
    made = make_catalogue(SMALL, np.random.default_rng(2))
    assert len(made.artists) == SMALL.artists
    assert made.size == made.artist_first[-1] == made.release_first[-1] == SMALL.tracks
    assert (np.diff(made.artist_first) > 0).all()
    assert set(made.genre_of.tolist()) == set(range(SMALL.genres))
    assert np.array_equal(np.repeat(np.arange(SMALL.artists), np.diff(made.artist_first)), made.artist_of)
    assert np.array_equal(made.artist_of[made.release_first[:-1]], made.artist_of[made.release_first[1:] - 1])


def test_artists_have_one_name_each_and_tracks_of_a_release_differ() -> None:
    made = make_catalogue(CrowdSettings(), np.random.default_rng(2))
    assert len({name.casefold() for name in made.artists}) == len(made.artists)
    assert len(set(zip(made.release_of.tolist(), made.titles, strict=True))) == made.size
    numbered = sum(name.endswith(")") for name in made.artists) / len(made.artists)
    assert numbered < 0.25  # the words suffice for most


def test_a_name_that_is_taken_gets_a_number() -> None:
    draws = np.zeros((3, 5), np.int64)
    assert distinct_artists(np.zeros(3, np.int64), draws) == ["Ada Abernathy", "Ada Abernathy (2)", "Ada Abernathy (3)"]


def test_durations_are_those_of_their_genre(lived: Lived) -> None:
    tracks = lived.crowd.tracks()
    for genre in GENRES:
        seconds = [(t.duration_ms or 0) / 1000 for t in tracks if t.genre == genre.name]
        assert abs(np.median(seconds) / genre.seconds - 1) < 0.15


def test_new_tracks_come_out_and_not_before(lived: Lived) -> None:
    crowd = make_crowd(SMALL, np.random.default_rng(11))
    old = {track.track_id for track in crowd.tracks()}
    assert abs(len(old) / SMALL.tracks - (1 - SMALL.new_share)) < 0.05
    new = {track.track_id for track in lived.crowd.tracks()} - old
    assert 100 < len(new) < SMALL.tracks * SMALL.new_share / 2
    seen: set[str] = set()
    for message in lived.history.messages():
        if isinstance(message, Track):
            assert message.track_id not in seen
            seen.add(message.track_id)
        else:
            assert message.track_id in seen
    assert seen == old | new
    assert new & set(lived.played["track_id"])


def test_new_tracks_grow(lived: Lived) -> None:
    out = {}
    time_ms = 0
    for message in lived.history.messages():
        if isinstance(message, Track):
            out[message.track_id] = time_ms
        else:
            time_ms = message.listened_at
    new = pl.DataFrame([(t, at) for t, at in out.items() if at], schema=["track_id", "out_at"], orient="row")
    span = int(lived.played["listened_at"].max())  # type: ignore[arg-type]  # a number: it is not empty
    new = new.filter(pl.col("out_at") < span - 42 * DAY_MS)  # six weeks to grow in
    age = (pl.col("listened_at") - pl.col("out_at")) // (7 * DAY_MS)
    weeks = dict(lived.played.join(new, on="track_id").group_by(age.alias("week")).len().iter_rows())
    assert weeks[5] > 1.5 * weeks[0]


def test_the_charts_leave_out_what_is_not_out() -> None:
    made = make_catalogue(SMALL, np.random.default_rng(2))
    rng = np.random.default_rng(1)
    for day in (0, 100, 10_000):
        charts = charts_of(made, day, SMALL.growth_days)
        for drawn in (
            charts.of_genre(rng.integers(0, SMALL.genres, 20_000), rng.random(20_000)),
            charts.of_artist(
                np.repeat(np.arange(SMALL.artists), 2), np.tile([0.0, np.nextafter(1.0, 0)], SMALL.artists)
            ),
        ):
            assert (made.day_out[drawn] <= day).all()
    assert (charts_of(made, 10_000, 21.0).weight > 0).all()


def test_the_charts_draw_by_weight() -> None:
    made = make_catalogue(SMALL, np.random.default_rng(2))
    charts = charts_of(made, 0, SMALL.growth_days)
    n = 200_000
    drawn = charts.of_genre(np.full(n, 3), np.random.default_rng(1).random(n))
    genre = made.genre_of[made.artist_of]
    assert (genre[drawn] == 3).all()
    expected = n * np.where(genre == 3, charts.weight, 0) / charts.weight[genre == 3].sum()
    top = np.argsort(-expected)[:20]
    counts = np.bincount(drawn, minlength=made.size)[top]
    assert (np.abs(counts - expected[top]) < 5 * np.sqrt(expected[top])).all()


def test_live_brings_new_tracks_too() -> None:
    crowd = make_crowd(CrowdSettings(listeners=5, artists=50, tracks=500), np.random.default_rng(1))
    messages = list(islice(crowd.stream(), 5_000))
    first_listen = next(i for i, message in enumerate(messages) if not isinstance(message, Track))
    assert any(isinstance(message, Track) for message in messages[first_listen:])
