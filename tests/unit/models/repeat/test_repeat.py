"""What is played again within 30 days: features that a profile would hold, an honest label, figures that are right."""

import random

import numpy as np
import polars as pl
import pytest

from models.ids import artist_key_of, key_of, short
from models.interactions import distinct
from models.profile import Profile
from models.repeat.features import COLUMNS, NEVER, WITHIN, events, matrix
from models.repeat.fit import fit
from models.repeat.judge import auc, measured
from models.taste import DAY, UNIT, TasteSettings, fold
from schemas.events import Listen

TASTE = TasteSettings(max_artists=250)
HALF_LIFE = TASTE.half_life_days * DAY
BEGUN = 1_700_000_000


def log(rows: list[tuple[int, int, int, int, bool]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["user", "item", "artist", "second", "played"], orient="row")


@pytest.mark.parametrize("seed", range(3))
def test_each_moment_knows_what_a_profile_folded_up_to_it_holds(seed: int) -> None:
    rng = random.Random(seed)
    second, rows, profiles = BEGUN, [], {}
    wanted = []
    for offset in range(200):
        second += rng.randrange(1, 3 * DAY)
        user, item = rng.randrange(3), rng.randrange(12)
        played = rng.random() < 0.7
        rows.append((user, item, item % 4, second, played))
        profile = profiles.setdefault(user, Profile())
        heard = 60_000 if played else 5_000
        listen = Listen(
            f"e{offset}", f"u{user}", f"t{item}", second * 1000, "play", artist=f"A{item % 4}", ms_played=heard
        )
        fold(profile, listen, offset, TASTE)
        weight, step, plays, skips = profile.by_track()[short(key_of(f"t{item}"))]
        of_artist, _ = profile.artists[artist_key_of(f"A{item % 4}")]
        now = 2 ** ((step - second) / HALF_LIFE) / UNIT  # a weight is as of the step
        wanted.append((plays, skips, weight * now, of_artist * now, profile.plays + profile.skips))
    found = events(log(rows), TASTE).select("plays", "skips", "weight", "artist_weight", "events")
    np.testing.assert_allclose(found.to_numpy(), np.array(wanted), atol=0.05)


def test_again_is_a_play_of_the_same_track_by_the_same_listener_within_thirty_days() -> None:
    rows = [
        (0, 7, 1, BEGUN, True),
        (1, 7, 1, BEGUN + 5, True),  # another listener
        (0, 8, 1, BEGUN + 10, True),  # another track
        (0, 7, 1, BEGUN + 20, False),  # skipped
        (0, 7, 1, BEGUN + WITHIN, True),
        (0, 8, 1, BEGUN + 11 + WITHIN, True),  # a second too late
    ]
    found = events(log(rows), TASTE)
    assert found["again"].to_list() == [True, False, False, True, False, False]
    assert found["first"].to_list() == [1, 1, 1, 0, 0, 0]
    assert found["gap"].to_list() == [NEVER, NEVER, NEVER, 20, WITHIN - 20, WITHIN + 1]
    assert found["listeners"].to_list() == [1, 2, 1, 2, 2, 1]
    assert found["pause"].to_list() == [NEVER, NEVER, 10, 10, WITHIN - 20, 11]
    assert matrix(found).shape == (6, len(COLUMNS))
    assert np.isfinite(matrix(found)).all()


def test_a_track_of_no_known_artist_has_no_taste_for_the_artist() -> None:
    frame = log([(0, 1, 1, BEGUN, True), (0, 2, 1, BEGUN + 9, True)]).with_columns(artist=pl.lit(None, pl.Int64))
    found = events(frame, TASTE)
    assert found["artist_weight"].to_list() == [0.0, 0.0]
    assert np.isfinite(matrix(found)).all()


def test_it_learns_what_only_a_product_of_features_tells() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(4_000, 3))
    labels = rows[:, 0] * rows[:, 1] + 0.3 * rng.normal(size=4_000) > 0
    model = fit(rows[:2_000], labels[:2_000])
    assert auc(model.chances(rows[2_000:]), labels[2_000:]) > 0.9  # linearly it would be a half
    assert model.chances(rows).min() >= 0
    assert model.chances(rows).max() <= 1


def test_auc_counts_equal_scores_half() -> None:
    assert auc(np.array([0.1, 0.9]), np.array([False, True])) == 1.0
    assert auc(np.array([0.9, 0.1]), np.array([False, True])) == 0.0
    assert auc(np.array([0.5, 0.5]), np.array([False, True])) == 0.5
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == pytest.approx(0.75)


def two_kinds(days: int) -> pl.DataFrame:
    """Half of the listeners play three tracks for ever, half never play one twice."""
    rng = random.Random(5)
    rows = []
    for day in range(days):
        for user in range(20):
            again = user % 2 == 0
            track = rng.randrange(3) if again else 1_000 * user + day
            rows.append((f"u{user}", f"t{track}", (BEGUN + day * DAY + user) * 1000, 60_000, "a"))
    names = ["user_id", "track_id", "listened_at", "ms_played", "artist"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_it_is_judged_on_moments_after_those_it_learned_from() -> None:
    found = measured(distinct(two_kinds(150)), TASTE, 1)
    assert found["majority"] == pytest.approx(0.5, abs=0.02)
    assert found["auc"] > 0.99
    assert found["accuracy"] > 0.95
    assert found["asked"] == pytest.approx(20 * 28, abs=20)


def test_what_is_played_again_at_random_cannot_be_told() -> None:
    """The labels leak into no feature: with shuffled repeats the figures are those of chance."""
    rng = random.Random(6)
    rows = [
        (f"u{rng.randrange(40)}", f"t{rng.randrange(60)}", (BEGUN + at * 900) * 1000, 60_000, "a")
        for at in range(15_000)
    ]
    names = ["user_id", "track_id", "listened_at", "ms_played", "artist"]
    found = measured(distinct(pl.DataFrame(rows, schema=names, orient="row")), TASTE, 1)
    assert abs(found["auc"] - 0.5) < 0.05


def test_of_a_short_history_nothing_is_said() -> None:
    assert measured(distinct(two_kinds(60)), TASTE, 1) == {}
    assert measured(distinct(two_kinds(2).clear()), TASTE, 1) == {}


def test_a_listen_with_a_clock_at_the_epoch_spoils_nothing() -> None:
    rows = [(0, 7, 1, BEGUN + at * DAY, True) for at in range(5)]
    known = events(log(rows), TASTE)
    spoilt = events(log([(0, 7, 1, 0, True), *rows]), TASTE)
    assert np.isfinite(matrix(spoilt)).all()
    assert spoilt.equals(known)
