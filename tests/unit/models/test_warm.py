"""ALS begun with the factors of an earlier release, found by the tracks' keys."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from models.als.fit import fit
from models.als.settings import AlsSettings
from models.als.warm import start
from models.release import Release
from tests.unit.scorer.worlds import make_release

FACTORS = np.arange(24, dtype=np.float32).reshape(6, 4)
SETTINGS = AlsSettings(factors=4)


@pytest.fixture
def before(tmp_path: Path) -> Release:
    """Tracks t0 … t7, of which the first six have factors."""
    titles = [(f"Song {row}", "Ann") for row in range(8)]
    return make_release(tmp_path / "before", titles, FACTORS, SETTINGS)


def test_each_track_begins_with_its_own_factors_wherever_it_stands_now(before: Release) -> None:
    begun = start(before, ["t5", "new", "t0", "t7", "t2"], SETTINGS)
    assert begun is not None
    assert (begun.release_id, begun.known, begun.iterations) == ("before", 3, SETTINGS.warm_iterations)
    np.testing.assert_array_equal(begun.factors[[0, 2, 4]], FACTORS[[5, 0, 2]])
    filled = begun.filled(1)
    np.testing.assert_array_equal(filled[[0, 2, 4]], FACTORS[[5, 0, 2]])
    assert (filled[[1, 3]] > 0).any()
    assert (filled[[1, 3]] < 0.01).all()
    np.testing.assert_array_equal(filled, begun.filled(1))


def test_it_begins_from_nothing_where_that_would_be_as_near(before: Release) -> None:
    assert start(None, ["t0"], SETTINGS) is None
    assert start(before, [], SETTINGS) is None
    assert start(before, ["t0"], replace(SETTINGS, engine="spark")) is None
    assert start(before, ["t0"], replace(SETTINGS, factors=5)) is None
    assert start(before, ["t0"], replace(SETTINGS, warm_iterations=0)) is None
    assert start(before, ["t0", "new", "newer"], SETTINGS) is None


def test_a_few_iterations_from_there_end_where_many_from_nothing_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    people, songs = rng.normal(size=(80, 4)), rng.normal(size=(60, 4))
    likes = people @ songs.T > 1.5
    settings = AlsSettings(factors=4, iterations=40, warm_iterations=3, regularization=0.5)
    users, items = np.nonzero(likes)
    most, shape = rng.random(len(users)) < 0.97, (80, 60)
    old, _ = fit(users[most], items[most], np.ones(most.sum()), shape, settings)
    titles = [(f"Song {row}", "Ann") for row in range(60)]
    begun = start(make_release(tmp_path / "before", titles, old, settings), [f"t{row}" for row in range(60)], settings)
    assert begun is not None

    def near(iterations: int, warm: bool) -> float:
        """How far the tracks' likenesses are from those of a fit to the end."""
        found, _ = fit(users, items, np.ones(len(users)), shape, replace(settings, iterations=iterations),
                       start=begun if warm else None)  # fmt: skip
        return float(np.abs(found @ found.T - done @ done.T).mean())

    done, _ = fit(users, items, np.ones(len(users)), shape, replace(settings, iterations=200))
    assert near(3, warm=True) < near(3, warm=False) / 2
