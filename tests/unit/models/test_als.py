import time

import numpy as np
import pytest
from numpy.typing import NDArray

from models.als.fit import FitFailed, fit
from models.als.serve import FoldIn, taste_weights
from models.als.settings import AlsSettings, confidence
from models.profile import Profile, ProfileView
from models.taste import UNIT, TasteSettings, fold
from schemas.events import Listen

SMALL = AlsSettings(factors=16, iterations=60)


def checkerboard(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Even listeners play even tracks, odd ones odd tracks; nobody plays the track of their own number."""
    cells = [(u, i) for u in range(size) for i in range(size) if u % 2 == i % 2 and u != i]
    users, items = np.array(cells, dtype=np.int64).T
    return users, items


def fold_in(factors: NDArray[np.float32], settings: AlsSettings) -> FoldIn:
    return FoldIn(factors, factors.T @ factors, settings)


def test_the_held_out_diagonal_of_a_checkerboard_is_the_best_new_track() -> None:
    size = 30
    users, items = checkerboard(size)
    factors, used = fit(users, items, np.ones(len(users)), (size, size), AlsSettings(factors=8))
    fold_ = fold_in(factors, used)
    for user in range(size):
        own = items[users == user]
        scores = factors @ fold_.vectors([(own, np.ones(len(own)))])[0]
        scores[own] = -np.inf
        assert int(np.argmax(scores)) == user


def test_a_training_listener_folded_in_has_the_factor_that_implicit_gives() -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(1)
    users, items = np.nonzero(rng.random((40, 120)) < 0.2)
    weights = rng.normal(2.0, 2.0, len(users))  # likes and dislikes
    factors, used = fit(users, items, weights, (40, 120), SMALL)
    matrix = csr_matrix((confidence(weights, used.alpha), (users, items)), shape=(40, 120), dtype=np.float32)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=16, regularization=used.regularization, random_state=1, num_threads=1)
        model.user_factors, model.item_factors = np.zeros((40, 16), np.float32), factors
        exact = model.recalculate_user(np.arange(40), matrix)
    folded = fold_in(factors, used).vectors([(items[users == u], weights[users == u]) for u in range(40)])
    assert np.abs(exact).max() > 0.1
    np.testing.assert_allclose(folded, exact, atol=1e-4 * float(np.abs(exact).max()) + 1e-5)


def test_fitting_ends_where_a_fold_in_gives_the_fitted_listeners_again() -> None:
    """Once converged, the items' own equation must hold too: fit and fold-in solve one and the same problem."""
    users, items = checkerboard(20)
    factors, used = fit(users, items, np.ones(len(users)), (20, 20), SMALL)
    people = fold_in(factors, used).vectors([(items[users == u], np.ones((users == u).sum())) for u in range(20)])
    again = fold_in(people, used).vectors([(users[items == i], np.ones((items == i).sum())) for i in range(20)])
    np.testing.assert_allclose(again, factors, atol=0.02 * float(np.abs(factors).max()))


def test_a_skipped_track_pulls_away_and_an_unknown_one_does_nothing() -> None:
    users, items = checkerboard(20)
    factors, used = fit(users, items, np.ones(len(users)), (20, 20), SMALL)
    fold_ = fold_in(factors, used)
    liked = (np.array([2, 4]), np.ones(2))
    mixed = (np.array([2, 4, 6, 8]), np.array([1.0, 1.0, -2.0, -2.0]))
    stranger = (np.array([-1, 2, 500, 4]), np.array([9.0, 1.0, 9.0, 1.0]))
    a, b, c = fold_.vectors([liked, mixed, stranger])
    assert factors[10] @ b < factors[10] @ a
    np.testing.assert_allclose(c, a, atol=1e-6)


def test_who_says_nothing_has_the_zero_vector() -> None:
    factors = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    fold_ = fold_in(factors, AlsSettings(factors=4))
    nobody = (np.empty(0, np.int64), np.empty(0))
    unknown = (np.array([-1, 7]), np.array([1.0, 1.0]))
    skipped = (np.array([1, 2]), np.array([-1.0, -1.0]))
    assert not fold_.vectors([nobody, unknown, skipped]).any()
    assert fold_.vectors([]).shape == (0, 4)


def test_only_the_strongest_tracks_count() -> None:
    factors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    fold_ = fold_in(factors, AlsSettings(factors=4, max_tracks=3))
    weights = np.array([0.1, 5.0, -4.0, 3.0, 0.2])
    whole, best = fold_.vectors([(np.arange(5), weights), (np.array([1, 2, 3]), weights[1:4])])
    np.testing.assert_allclose(whole, best, atol=1e-5)


def test_no_items_give_vectors_without_meaning_and_no_error() -> None:
    factors, used = fit(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), (0, 0), AlsSettings(factors=4))
    assert factors.shape == (0, 4)
    assert not fold_in(factors, used).vectors([(np.array([0]), np.ones(1))]).any()


def test_the_same_seed_gives_the_same_factors_on_any_number_of_threads() -> None:
    users, items = checkerboard(40)
    one, _ = fit(users, items, np.ones(len(users)), (40, 40), SMALL, threads=1)
    two, _ = fit(users, items, np.ones(len(users)), (40, 40), SMALL, threads=2)
    other, _ = fit(users, items, np.ones(len(users)), (40, 40), AlsSettings(factors=16, iterations=60, seed=7))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_small_history_lowers_the_regularization_instead_of_losing_every_factor() -> None:
    users, items = checkerboard(6)
    factors, used = fit(users, items, np.ones(len(users)), (6, 6), AlsSettings(factors=4, regularization=1e4))
    assert used.regularization < 100
    assert np.abs(factors).max() > 0.1


def test_progress_is_told_for_each_iteration() -> None:
    users, items = checkerboard(8)
    told: list[float] = []
    fit(users, items, np.ones(len(users)), (8, 8), AlsSettings(factors=2, iterations=4), progress=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_factors_that_are_not_finite_are_refused() -> None:
    users, items = checkerboard(8)
    with pytest.raises(FitFailed, match="not finite"):
        fit(users, items, np.full(len(users), np.nan), (8, 8), AlsSettings(factors=2))


def test_confidence_keeps_the_sign_and_grows_slower_than_the_plays() -> None:
    c = confidence(np.array([0.0, 1.0, -1.0, 100.0]), 10.0)
    assert c[:3].tolist() == [1.0, 11.0, -11.0]
    assert c[1] < c[3] < 10 * c[1]


def test_a_profiles_weights_are_decayed_and_a_banned_track_weighs_nothing() -> None:
    taste, profile, day = TasteSettings(), Profile(), 86_400_000
    start = 1_700_000_000_000
    for number, (track, kind, when) in enumerate(
        [("a", "play", 0), ("b", "play", 14), ("c", "play", 14), ("c", "ban", 14)]
    ):
        listen = Listen(event_id=str(number), user_id="u", track_id=track, listened_at=start + when * day, kind=kind)  # type: ignore[arg-type]  # a Literal
        fold(profile, listen, number, taste)
    view = ProfileView(profile.encode())
    assert taste_weights(view, taste.half_life_days).tolist() == pytest.approx([0.5, 1.0, 0.0], abs=1 / UNIT)


def test_a_fold_in_takes_a_fraction_of_a_millisecond() -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(10_000, 64)).astype(np.float32)
    fold_ = fold_in(factors, AlsSettings())
    batch = [(rng.choice(10_000, 200, replace=False), rng.random(200)) for _ in range(200)]
    fold_.vectors(batch[:5])
    best = np.inf
    for _ in range(3):
        begun = time.perf_counter()
        fold_.vectors(batch)
        best = min(best, (time.perf_counter() - begun) / len(batch))
    assert best < 0.001  # 0.2 ms on an idle machine; a busy one gets five times that
