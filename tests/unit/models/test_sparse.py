"""Sparse columns of scores."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scratch import Scratch
from models.sources.base import NO_ROWS
from models.sources.sparse import NONE, Sparse, keyed, ranked, summed

SCRATCH = Scratch.of(200)


def sparse(**scores: float) -> Sparse:
    return summed(np.array([int(row[1:]) for row in scores]), np.array(list(scores.values())), SCRATCH)


@pytest.fixture(autouse=True)
def _left_clean() -> Iterator[None]:
    yield
    assert not any(column.any() for column in SCRATCH)


def test_the_top_is_best_first_and_equals_stand_in_the_order_of_their_rows() -> None:
    column = sparse(r2=1.0, r5=3.0, r7=1.0, r8=3.0, r9=0.5)
    assert column.top(9).tolist() == [5, 8, 2, 7, 9]
    assert column.top(3).tolist() == [5, 8, 2]
    assert column.top(1).tolist() == [5]
    assert NONE.top(3).tolist() == []


@given(
    weights=st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=60),
    asked=st.lists(st.integers(1, 70), min_size=1, max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_the_top_is_the_beginning_of_the_whole_order(weights: list[float], asked: list[int], random: Random) -> None:
    ordered = sorted(range(len(weights)), key=lambda at: (-weights[at], at))
    shuffled = random.sample(range(len(weights)), len(weights))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.sources.sparse.DEEP", 5)
        column = summed(np.array(shuffled, np.int64) * 3, np.array([weights[at] for at in shuffled]), SCRATCH)
        for most in asked:
            assert column.top(most).tolist() == [3 * at for at in ordered[:most]]


def test_a_score_is_found_for_each_row_and_is_nothing_elsewhere() -> None:
    column = sparse(r2=1.0, r5=3.0)
    assert column.at(np.array([5, 0, 2, 3, 9, 5]), SCRATCH).tolist() == [3.0, 0.0, 1.0, 0.0, 0.0, 3.0]
    assert column.at(NO_ROWS, SCRATCH).tolist() == []
    assert NONE.at(np.array([1, 2]), SCRATCH).tolist() == [0.0, 0.0]


def test_the_weights_of_a_row_are_added_up() -> None:
    column = summed(np.array([5, 2, 5, 7]), np.array([1.0, 2.0, 0.5, -1.0]), SCRATCH)
    assert dict(zip(column.rows.tolist(), column.weights.tolist(), strict=True)) == {2: 2.0, 5: 1.5}
    assert summed(NO_ROWS, np.empty(0), SCRATCH) is NONE


@pytest.mark.parametrize("size", [0, 1, 2, 24, 25, 300, 5_000])
@pytest.mark.parametrize("kinds", [1, 3, 10_000])  # of scores: of many equal ones the first rows are the highest
def test_what_is_ranked_is_the_beginning_of_all_keys_in_order(size: int, kinds: int) -> None:
    rng = np.random.default_rng(size + kinds)
    keys = keyed(rng.permutation(10_000)[:size], 1.0 / rng.integers(1, kinds + 1, size=size))
    ordered = np.sort(keys)[::-1]
    for most in (0, 1, 20, 400, size):
        best = ranked(keys, most)
        assert len(best) >= min(most, size)
        assert best.tolist() == ordered[: len(best)].tolist()
