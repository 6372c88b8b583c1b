"""Sparse columns of scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.sources.base import NO_ROWS
from models.sources.sparse import NONE, Sparse, summed


def sparse(**scores: float) -> Sparse:
    return Sparse(np.array([int(row[1:]) for row in scores]), np.array(list(scores.values())))


def test_the_top_is_best_first_and_equals_stand_in_the_order_of_their_rows() -> None:
    column = sparse(r2=1.0, r5=3.0, r7=1.0, r8=3.0, r9=0.5)
    assert column.top(9).tolist() == [5, 8, 2, 7, 9]
    assert column.top(3).tolist() == [5, 8, 2]
    assert column.top(1).tolist() == [5]
    assert NONE.top(3).tolist() == []


@given(weights=st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=60), most=st.integers(1, 70))
def test_the_top_is_the_beginning_of_the_whole_order(weights: list[float], most: int) -> None:
    column = Sparse(np.arange(len(weights)) * 3, np.array(weights))
    ordered = sorted(range(len(weights)), key=lambda at: (-weights[at], at))
    assert column.top(most).tolist() == [3 * at for at in ordered[:most]]


def test_a_score_is_found_for_each_row_and_is_nothing_elsewhere() -> None:
    column = sparse(r2=1.0, r5=3.0)
    assert column.at(np.array([5, 0, 2, 3, 9, 5])).tolist() == [3.0, 0.0, 1.0, 0.0, 0.0, 3.0]
    assert column.at(NO_ROWS).tolist() == []
    assert NONE.at(np.array([1, 2])).tolist() == [0.0, 0.0]


def test_a_place_is_by_score_and_then_by_row() -> None:
    column = sparse(r2=1.0, r5=3.0, r7=1.0, r8=3.0)
    assert column.places(np.array([8, 7, 5, 2, 3]), 99.0).tolist() == [1.0, 3.0, 0.0, 2.0, 99.0]
    assert NONE.places(np.array([1]), 99.0).tolist() == [99.0]


def test_the_weights_of_a_row_are_added_up() -> None:
    column = summed(np.array([5, 2, 5]), np.array([1.0, 2.0, 0.5]))
    assert (column.rows.tolist(), column.weights.tolist()) == ([2, 5], [2.0, 1.5])
    assert summed(NO_ROWS, np.empty(0)) is NONE
