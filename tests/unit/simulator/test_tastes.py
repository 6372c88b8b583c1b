"""The true tastes: several, drifting, and computed to the last bit whatever the batch."""

import numpy as np
import pytest

from services.simulator.choose import Why
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.plan import make_plan
from services.simulator.settings import CrowdSettings
from services.simulator.settle import settle
from services.simulator.space import D, match, quantised
from tests.unit.simulator.conftest import SMALL


def likes(crowd: Crowd) -> np.ndarray:
    tracks = np.arange(0, SMALL.tracks, 5)
    return np.array([crowd.affinity(user, tracks) for user in range(SMALL.listeners)])


def alike(one: np.ndarray, two: np.ndarray) -> float:
    """Mean correlation over the listeners."""
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(one, two, strict=True)]))


def test_tastes_drift_over_weeks() -> None:
    crowd = make_crowd(SMALL, np.random.default_rng(4))
    start = likes(crowd)
    crowd.history(7)
    week = alike(start, likes(crowd))
    crowd.history(77)
    quarter = alike(start, likes(crowd))
    strangers = alike(start, np.roll(start, 1, axis=0))
    assert 0.9 < week < 1.0
    assert strangers + 0.15 < quarter < week - 0.1


def test_without_drift_a_taste_stays() -> None:
    still = CrowdSettings(listeners=150, artists=1_000, tracks=10_000, drift=0.0, new_taste_weeks=1e9)
    crowd = make_crowd(still, np.random.default_rng(4))
    before = crowd._world.tastes.vectors.copy()
    crowd.history(20)
    assert np.array_equal(before, crowd._world.tastes.vectors)


def test_a_listener_has_several_tastes() -> None:
    crowd = make_crowd(SMALL, np.random.default_rng(4))
    share = crowd._world.tastes.share
    assert np.allclose(share.sum(axis=1), 1)
    assert np.median(share.max(axis=1)) < 0.75
    genres = [len(set(row)) for row in crowd._world.tastes.genre.tolist()]
    assert np.mean(genres) > 2


def test_the_truth_is_in_order_and_knows_only_what_is_out() -> None:
    crowd = make_crowd(SMALL, np.random.default_rng(4))
    truth = crowd.truth("listener-00003")
    assert sorted(truth.track_ids) == sorted(track.track_id for track in crowd.tracks())
    assert (np.diff(truth.affinity) <= 0).all()
    best = np.array([crowd.book.track_index[track] for track in truth.track_ids[:10]])
    assert np.array_equal(crowd.affinity(3, best), truth.affinity[:10])
    with pytest.raises(KeyError):
        crowd.truth("listener-99999")


def test_a_favourite_artist_is_liked_more() -> None:
    crowd = make_crowd(SMALL, np.random.default_rng(4))
    artist = int(crowd._world.tastes.favourites[0, 0, 0])
    tracks = np.flatnonzero(crowd._world.catalogue.artist_of == artist)
    before = crowd.affinity(0, tracks)
    other = next(a for a in range(SMALL.artists) if a not in crowd._world.tastes.favourites[0])
    crowd._world.tastes.favourites[0, 0][crowd._world.tastes.favourites[0, 0] == artist] = other
    assert (crowd.affinity(0, tracks) < before).all()


def test_matches_are_exact_in_any_batch() -> None:
    rng = np.random.default_rng(0)
    tastes, tracks = (quantised(2 * rng.standard_normal((4_000, D)).astype(np.float32)) for _ in range(2))
    together = match(tastes, tracks)
    exact = (tastes.astype(np.float64) * tracks.astype(np.float64)).sum(axis=1)
    assert np.array_equal(together.astype(np.float64), exact)
    assert np.array_equal(match(tastes, np.stack([tracks, tracks[::-1]], axis=1))[:, 0], together)
    assert all(match(tastes[i : i + 1], tracks[i : i + 1])[0] == together[i] for i in range(0, 4_000, 97))


def test_a_taste_moves_as_far_in_a_week_as_the_setting_says() -> None:
    steady = CrowdSettings(listeners=300, artists=1_000, tracks=10_000, new_taste_weeks=1e9, drift=0.2)
    crowd = make_crowd(steady, np.random.default_rng(4))
    before = crowd._world.tastes.vectors.copy()
    crowd.history(7)
    moved = np.linalg.norm(crowd._world.tastes.vectors - before, axis=-1)
    assert abs(np.sqrt(np.mean(moved**2)) - 0.2) < 0.02


def test_the_familiar_is_skipped_less() -> None:
    world = make_crowd(SMALL, np.random.default_rng(4))._world
    plan = make_plan(world.settings, world.habits, world.tastes, 0, np.random.default_rng(1))
    slots = np.arange(len(plan.session))
    track = np.random.default_rng(2).integers(0, SMALL.tracks, len(slots))

    def skipped(why: Why) -> np.ndarray:
        return settle(world, plan, slots, track, np.full(len(slots), why)).skip

    new = skipped(Why.FRESH)
    for why in (Why.REPEAT, Why.LOVED, Why.ALBUM):
        assert not (skipped(why) & ~new).any()
        assert skipped(why).mean() < new.mean() - 0.02
    listener, taste = plan.listener[plan.session], plan.taste[plan.session]
    track = np.array(
        [np.flatnonzero(world.catalogue.artist_of == a)[0] for a in world.tastes.favourites[listener, taste, 0]]
    )
    assert np.array_equal(skipped(Why.FAVOURITE), skipped(Why.REPEAT))  # known either way
