"""The judge against the plainest way of reckoning the same, and against `implicit`."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.counts.data import Numbers, Split, split
from models.counts.judge import RANKED, judge, of_list
from tests.unit.models.counts.worlds import ITEMS, two_camps


class Fixed:
    """Scores that were written down."""

    def __init__(self, table: NDArray[np.float64]) -> None:
        self.table = table

    def scores(self, users: Numbers) -> NDArray[np.float64]:
        return self.table[users]

    def recommend(
        self,
        users: Numbers,
        seen: csr_matrix,
        N: int,  # noqa: N803 - implicit calls it so
        **_: object,
    ) -> tuple[Numbers, NDArray[np.float64]]:
        """As `implicit` asks its models; `seen` holds the training part of just these users."""
        scores = np.where(seen.toarray() > 0, -np.inf, self.table[users])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :N]
        return best.astype(np.int32), np.take_along_axis(scores, best, axis=1)


@pytest.fixture
def parts() -> Split:
    return split(two_camps(), 0.4, np.random.default_rng(2))


def by_hand(scores: NDArray[np.float64], had: set[int], wanted: set[int]) -> list[float]:
    """RANKED but the last, one rank and one pair after the other."""
    ranked = [item for item in np.argsort(-scores, kind="stable").tolist() if item not in had]
    gains = sum(1 / np.log2(rank + 2) for rank, item in enumerate(ranked[:100]) if item in wanted)
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(100, len(wanted))))
    wrong = [item for item in ranked if item not in wanted]
    won = [(scores[one] > scores[other]) + 0.5 * (scores[one] == scores[other]) for one in wanted for other in wrong]
    recalls = [len(wanted & set(ranked[:k])) / min(k, len(wanted)) for k in (20, 50)]
    return [gains / ideal, *recalls, float(np.mean(won))]


@pytest.mark.parametrize("levels", [1_000_000, 7], ids=["no ties", "many ties"])
def test_every_listener_is_judged_as_by_hand(parts: Split, levels: int) -> None:
    table = np.random.default_rng(5).integers(levels, size=parts.train.shape).astype(np.float64)
    found = judge(Fixed(table), parts)
    for at, user in enumerate(found.users.tolist()):
        had, wanted = (set(part[[user]].indices.tolist()) for part in (parts.train, parts.test))
        assert found.values[at, :4] == pytest.approx(by_hand(table[user], had, wanted))


def test_the_truncated_auc_is_that_of_implicit(parts: Split) -> None:
    from implicit.evaluation import AUC_at_k

    table = np.random.default_rng(6).random(parts.train.shape) + 2.0 * (parts.test.toarray() > 0) * (
        np.random.default_rng(7).random(parts.train.shape) < 0.5
    )
    theirs = AUC_at_k(Fixed(table), parts.train, parts.test, K=10, show_progress=False, num_threads=1)
    ours = judge(Fixed(table), parts).values[:, RANKED.index("auc_truncated@10")].mean()
    assert theirs > 0.6
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_what_is_known_is_never_ranked(parts: Split) -> None:
    known_first = Fixed(1000.0 * (parts.train.toarray() > 0) + (parts.test.toarray() > 0))
    found = judge(known_first, parts)
    assert (found.values[:, :4] == 1.0).all()
    assert found.values[:, 4].min() > 0.9


def test_coverage_is_the_share_of_heard_items_in_any_first_hundred() -> None:
    """400 items that one of two listeners has in part; the last hundred nobody has: shown, they cover nothing."""
    train, test = np.zeros((2, 500)), np.zeros((2, 500))
    train[0, :200], train[1, 200:400] = 1, 1  # heard: 400, and the last 100 by nobody
    test[0, 450], test[1, 450] = 1, 1
    parts = Split(csr_matrix(train), csr_matrix(test))
    rising, falling = np.arange(500.0), -np.arange(500.0)
    assert judge(Fixed(np.stack([rising, rising])), parts).coverage == 0  # both the last hundred
    assert judge(Fixed(np.stack([rising, falling])), parts).coverage == 100 / 400
    assert judge(Fixed(np.stack([falling, falling])), parts).coverage == 200 / 400


def test_scores_that_are_no_numbers_are_refused(parts: Split) -> None:
    with pytest.raises(ValueError, match="Fixed gave scores that are not finite"):
        judge(Fixed(np.full(parts.train.shape, np.nan)), parts)


def test_chance_has_an_auc_of_a_half_and_a_perfect_list_has_one() -> None:
    scores = np.random.default_rng(0).random(20_000)
    wanted = np.random.default_rng(1).choice(20_000, 2_000, replace=False)
    assert of_list(scores, wanted, 20_000)[3] == pytest.approx(0.5, abs=0.02)
    scores[wanted] += 1
    assert of_list(scores, wanted, 20_000)[3] == 1.0
    assert of_list(np.zeros(ITEMS), np.array([3]), ITEMS)[3] == 0.5
