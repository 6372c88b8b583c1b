"""Metrics of cases that can be reckoned by hand."""

from math import log2

import numpy as np
import pytest

from models.evaluation import metrics
from models.evaluation.bootstrap import Bootstrap
from models.evaluation.shares import BySource, Owed, Shares

NONE = np.empty(0, dtype=np.int64)


def flags(text: str) -> np.ndarray:
    """`x.x`: ranks 1 and 3 were right."""
    return np.array([mark == "x" for mark in text], dtype=bool)


def test_ndcg_is_the_gain_of_the_hits_over_the_best_gain() -> None:
    best = 1 + 1 / log2(3)  # two wanted: at best on ranks 1 and 2
    assert metrics.ndcg(flags("x.x"), 2, 10) == pytest.approx((1 + 1 / log2(4)) / best)
    assert metrics.ndcg(flags("xx."), 2, 10) == pytest.approx(1)
    assert metrics.ndcg(flags("..x"), 2, 2) == 0
    assert metrics.ndcg(flags(""), 2, 10) == 0


def test_more_wanted_than_ranks_does_not_lower_the_best() -> None:
    assert metrics.ndcg(flags("x" * 10), 500, 10) == pytest.approx(1)
    assert metrics.recall(flags("x" * 100), 500, 100) == 1


def test_recall_is_the_share_found_in_the_first_ranks() -> None:
    assert metrics.recall(flags("x.x."), 4, 10) == 0.5
    assert metrics.recall(flags("x.x."), 4, 2) == 0.5  # two ranks hold two at most


def test_reciprocal_rank() -> None:
    assert metrics.reciprocal_rank(flags("..x"), 20) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(flags("..x"), 2) == 0


def test_a_guess_counts_for_its_own_kind_only() -> None:
    ranked = np.array([4, 9, 7])
    assert metrics.of_guess(ranked, 9, True).tolist()[:4] == [1, 0.5, 1, 0.5]
    assert np.isnan(metrics.of_guess(ranked, 9, True)[4:]).all()
    found = metrics.of_guess(np.arange(100, 140), 120, False)  # rank 21
    assert found[:2].tolist() == found[4:].tolist() == [0, 0]
    assert np.isnan(found[2:4]).all()


def test_a_week_judges_the_list_cut_down_to_each_kind() -> None:
    known, met = np.array([1, 2, 3, 4]), np.array([1, 2, 3, 4, 5, 6])  # 5 and 6 were only skipped
    wanted = np.array([1, 2, 3, 5, 10, 11, 12])
    ranked = np.array([10, 1, 5, 4, 2, 20, 11])
    found = dict(zip(metrics.WEEKLY, metrics.of_week(ranked, wanted, known, met), strict=True))
    assert found["recall@100"] == pytest.approx(5 / 7)
    assert found["rep_recall@100"] == pytest.approx(2 / 3)  # 1 and 2 of 1, 2, 3
    assert found["exp_recall@100"] == pytest.approx(3 / 4)  # 10, 5, 11 of 5, 10, 11, 12
    assert found["unseen_recall@100"] == pytest.approx(2 / 3)  # 10, 11 of 10, 11, 12
    three = 1 + 1 / log2(3) + 1 / log2(4)
    assert found["rep_ndcg@10"] == pytest.approx((1 + 1 / log2(4)) / three)  # of 1, 4, 2
    assert found["unseen_ndcg@10"] == pytest.approx((1 + 1 / log2(4)) / three)  # of 10, 20, 11


def test_a_kind_with_too_few_wanted_is_not_judged() -> None:
    found = dict(zip(metrics.WEEKLY, metrics.of_week(np.arange(9), np.arange(5), np.arange(2), NONE), strict=True))
    assert np.isnan(found["rep_ndcg@10"])
    assert found["exp_recall@100"] == 1


def test_gini_is_0_when_all_are_equal_and_near_1_when_one_has_all() -> None:
    assert metrics.gini(np.array([3, 3, 3])) == pytest.approx(0)
    assert metrics.gini(np.array([0, 0, 0, 8])) == pytest.approx(3 / 4)
    assert metrics.gini(np.array([1, 3])) == pytest.approx(1 / 4)
    assert metrics.gini(np.array([0, 0])) == 0


def test_percentiles_share_ties_and_leave_out_the_unheard() -> None:
    assert metrics.percentiles(np.array([5, 0, 1, 1, 9])).tolist() == [0.75, 0, 0.375, 0.375, 1]


def test_spread_counts_what_is_recommended_of_what_was_heard() -> None:
    spread = metrics.Spread(np.array([4, 3, 2, 0]))
    part = spread.add(np.array([0, 3]), known=np.array([0]))
    assert part.tolist() == [1.0, 2, 1, 10]  # percentile 1 of track 0, none of the unheard; track 3 is new
    assert spread.add(NONE, NONE).tolist() == [0, 0, 0, 0]
    coverage, gini = spread.figures()
    assert coverage == pytest.approx(2 / 3)
    assert gini == pytest.approx(metrics.gini(np.array([1, 0, 0, 1])))


def test_an_interval_of_equal_rows_is_a_point() -> None:
    figure = Bootstrap(np.array([1, 1, 2])).figure(np.array([0.25, 0.25, 0.25]))
    assert (figure.mean, figure.low, figure.high, figure.n) == (0.25, 0.25, 0.25, 3)


def test_listeners_are_redrawn_whole() -> None:
    """Two listeners of many equal rows: a redrawing has none, one or two of each, whatever the rows."""
    users = np.repeat([0, 1], 500)
    figure = Bootstrap(users).figure(users.astype(float))
    assert (figure.mean, figure.low, figure.high) == (0.5, 0.0, 1.0)


def test_the_interval_of_a_mean_is_about_right() -> None:
    values = np.random.default_rng(5).normal(size=400)
    figure = Bootstrap(np.arange(400)).figure(values)
    assert figure.high - figure.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_rows_that_are_not_judged_do_not_count() -> None:
    figure = Bootstrap(np.array([0, 1, 2])).figure(np.array([1.0, np.nan, 0.0]))
    assert (figure.mean, figure.n) == (0.5, 2)
    nothing = Bootstrap(np.array([0])).figure(np.array([np.nan]))
    assert (nothing.mean, nothing.low, nothing.high, nothing.n) == (0, 0, 0, 0)


def test_a_ratio_is_of_sums_within_a_group() -> None:
    over, under, groups = np.array([1.0, 3.0, 0.0]), np.array([2.0, 2.0, 0.0]), np.array([0, 0, 1])
    figure = Bootstrap(np.array([0, 1, 1])).ratio(over, under, groups)
    assert (figure.mean, figure.n) == (0.5, 2)  # (4/4 + nothing)/2
    assert figure.low == 0.25
    assert figure.high == 0.75


def test_places_and_hits_are_counted_by_the_source_that_brought_them() -> None:
    counted, names = BySource(3), ("history", "lyrics", "popular")
    counted.add("served", 0, Owed(names, np.array([0, 1, 0, 1])), flags(".x.x"))  # the fourth rank is not looked at
    counted.add("served", 1, Owed(names, np.array([0])), flags("x"))
    counted.add("served", 1, Owed(names, NONE), flags(""))
    counted.add("alone", 0, Owed(("history",), np.array([0])), flags("x"))
    counted.add("ease", 0, None, flags("x"))
    shares: Shares = {}
    counted.into(shares)
    assert shares.keys() == {"served"}
    told = {source: [figure.mean for figure in figures.values()] for source, figures in shares["served"].items()}
    assert told == {"history": [0.75, 0.5], "lyrics": [0.25, 0.5], "popular": [0.0, 0.0]}
    figure = shares["served"]["lyrics"]["share_of_hits@3"]
    assert (figure.low, figure.high, figure.n) == (0.0, 1.0, 2)
