"""Proposals of several sources in one set: distinct, owned by who proposes highest, fused by rank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ranker.fusion import Fusion
from models.ranker.merge import K, merge
from models.scratch import Scratch
from models.sources.base import NOTHING, Batch, Candidates, no_reasons
from models.sources.shelf import Shelf
from tests.unit.models.listeners import thirty

SCRATCH = Scratch.of(1_000)


def proposal(*rows: int) -> Candidates:
    return Candidates(np.array(rows, dtype=np.int64), no_reasons)


def test_what_several_propose_comes_once_with_the_sum_of_their_votes() -> None:
    merged = merge([[proposal(7, 3), proposal(3, 9)]], [1.0, 2.0], SCRATCH)[0]
    assert merged.rows.tolist() == [3, 7, 9]
    assert merged.fused.tolist() == pytest.approx([1 / (K + 1) + 2 / K, 1 / K, 2 / (K + 1)])


def test_it_is_owed_to_the_source_with_the_highest_vote() -> None:
    by_place = merge([[proposal(1, 2, 3), proposal(3)]], [1.0, 1.0], SCRATCH)[0]
    assert (by_place.sources.tolist(), by_place.positions.tolist()) == ([0, 0, 1], [0, 1, 0])
    by_weight = merge([[proposal(3), proposal(1, 2, 3)]], [1.0, 9.0], SCRATCH)[0]
    assert (by_weight.sources.tolist(), by_weight.positions.tolist()) == ([1, 1, 1], [0, 1, 2])


def test_of_equal_votes_the_first_source_has_it() -> None:
    assert merge([[proposal(5), proposal(5)]], [1.0, 1.0], SCRATCH)[0].sources.tolist() == [0]


@pytest.mark.parametrize("proposals", [[], [NOTHING], [NOTHING, NOTHING]])
def test_nothing_merged_is_nothing(proposals: list[Candidates]) -> None:
    merged = merge([proposals], [1.0] * len(proposals), SCRATCH)[0]
    assert [len(column) for column in merged] == [0, 0, 0, 0]
    assert merged.rows.dtype == np.int64
    assert merged.fused.dtype == np.float64


lists = st.lists(st.lists(st.integers(0, 30), unique=True, max_size=15), min_size=1, max_size=5)


@given(rows=lists, weights=st.lists(st.sampled_from([0.1, 1.0, 4.0]), min_size=5, max_size=5))
def test_whatever_is_proposed_positions_point_back_and_nobody_votes_higher(
    rows: list[list[int]], weights: list[float]
) -> None:
    merged = merge([[proposal(*each) for each in rows]], weights[: len(rows)], SCRATCH)[0]
    assert merged.rows.tolist() == sorted({row for each in rows for row in each})
    for row, source, position, fused in zip(*(column.tolist() for column in merged), strict=True):
        assert rows[source][position] == row
        votes = {at: weights[at] / (K + each.index(row)) for at, each in enumerate(rows) if row in each}
        assert votes[source] == max(votes.values())
        assert fused == pytest.approx(sum(votes.values()))


def test_fusion_scores_by_the_votes() -> None:
    shelf: Shelf = thirty()
    merged = merge([[proposal(1, 2), proposal(2)]], [1.0, 1.0], SCRATCH)[0]
    batch = Batch(shelf, [], np.zeros((0, 1), np.float32), [])
    assert Fusion().scores(batch, 0, merged).tolist() == merged.fused.tolist()
