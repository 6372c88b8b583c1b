import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.counts.data import NothingToCompare, matrix_of, shuffled, split
from tests.unit.models.counts.worlds import two_camps


def chance(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_split_holds_out_a_share_of_each_listeners_items_and_loses_nothing() -> None:
    counts = two_camps()
    train, test = split(counts, 0.2, chance())
    assert (np.diff(test.indptr) == 3).all()  # of 15
    assert (train + test != counts).nnz == 0
    assert train.multiply(test).nnz == 0


def test_a_split_is_the_same_for_the_same_seed_only() -> None:
    counts = two_camps()
    first, again, other = (split(counts, 0.2, chance(seed)).test for seed in (1, 1, 2))
    assert (first != again).nnz == 0
    assert (first != other).nnz > 0


def test_who_has_too_few_is_not_judged() -> None:
    few = csr_matrix(np.array([[1.0, 2, 3, 4, 5], [1, 2, 3, 4, 0]]))
    assert split(few, 0.2, chance()).judged.tolist() == [0]
    with pytest.raises(NothingToCompare, match="no listener has 5 items"):
        split(few[1:], 0.2, chance())


def test_judging_fewer_listeners_changes_nothing_else() -> None:
    parts = split(two_camps(), 0.2, chance())
    few = parts.judging(30, chance())
    assert len(few.judged) == 30
    assert (few.test[few.judged] != parts.test[few.judged]).nnz == 0
    assert few.test.shape == parts.test.shape
    assert few.train is parts.train
    assert parts.judging(80, chance()) is parts


def test_items_are_shuffled_whole() -> None:
    counts = two_camps()
    moved = shuffled(counts, chance())
    assert (moved != counts).nnz > 0
    columns = [sorted(map(tuple, matrix.toarray().T.tolist())) for matrix in (counts, moved)]
    assert columns[0] == columns[1]


def test_the_counts_of_a_pair_are_added_up() -> None:
    matrix = matrix_of(np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([2.0, 3.0, 4.0]))
    assert matrix.toarray().tolist() == [[0, 5], [4, 0]]
