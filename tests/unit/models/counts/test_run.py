"""A comparison: the same splits for all, no look at what is held out, intervals, and what is skipped."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import ttest_1samp

from models.counts import run
from models.counts.contenders import CONTENDERS, Contender
from models.counts.judge import Model
from models.counts.result import NAMES, over
from models.counts.run import Plan, compare
from tests.unit.models.counts.worlds import two_camps

QUICK = ("popular", "item_knn", "ease")


def test_every_model_has_every_figure_and_a_difference_to_ease() -> None:
    told: list[tuple[str, float]] = []
    found = compare(two_camps(), Plan(QUICK, seeds=3, trials=4), lambda step, done: told.append((step, done)))
    assert tuple(found.figures) == QUICK
    assert all(tuple(figures) == NAMES for figures in found.figures.values())
    assert found.differences.keys() == found.listeners.keys() == {"popular", "item_knn"}
    for name, apart in found.differences.items():
        for metric, figure in apart.items():
            means = [np.mean(found.by_split[model][metric]) for model in (name, "ease")]
            assert figure.mean == pytest.approx(means[0] - means[1])
            if metric in found.listeners[name]:
                assert found.listeners[name][metric].mean == pytest.approx(figure.mean)
    assert found.differences["popular"]["auc"].high < 0
    assert found.counts.judged == 80
    assert found.counts.held_out == [240] * 3
    assert [len(found.trials[name][0]) for name in QUICK] == [0, 4, 4]
    for name in QUICK:
        shares = [done for step, done in told if step == name]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_the_same_plan_gives_the_same_figures_and_other_splits_others() -> None:
    first, again = (compare(two_camps(), Plan(QUICK, seeds=2, trials=2)) for _ in range(2))
    assert first.by_split == again.by_split
    assert len(set(first.by_split["ease"]["ndcg@100"])) == 2


def test_counts_are_left_as_they_were() -> None:
    counts = two_camps()
    before = counts.copy()
    compare(counts, Plan(QUICK, seeds=2, trials=2))
    assert (counts.data == before.data).all()
    assert (counts.indices == before.indices).all()


def test_tuning_never_sees_what_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every matrix that a model is fitted on is written down: the last is the training part, all before lie within."""
    seen: list[csr_matrix] = []

    def spy(train: csr_matrix, *rest: Any) -> Model:
        seen.append(train.copy())
        return CONTENDERS["item_knn"].fit(train, *rest)

    monkeypatch.setitem(run.CONTENDERS, "spy", CONTENDERS["item_knn"]._replace(fit=spy))
    compare(two_camps(), Plan(("spy",), seeds=1, trials=5))
    assert len(seen) == 6
    outer = seen[-1]
    assert (np.diff(outer.indptr) == 12).all()
    for inner in seen[:-1]:
        assert (np.diff(inner.indptr) == 10).all()  # of 12 again a fifth is held out
        assert (inner.multiply(outer) != inner.multiply(inner)).nnz == 0


def test_the_settings_of_the_best_trial_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    rival = CONTENDERS["ease"]

    def spy(train: csr_matrix, settings: Any, *rest: Any) -> Model:
        used.append(settings)
        return rival.fit(train, settings, *rest)

    monkeypatch.setitem(run.CONTENDERS, "ease", rival._replace(fit=spy))
    found = compare(two_camps(), Plan(("ease",), seeds=1, trials=6))
    values = found.trials["ease"][0]
    assert len(set(values)) > 1
    assert used[-1] == used[int(np.argmax(values))]
    assert found.settings["ease"][0]["regularization"] == used[-1].regularization  # type: ignore[index]


def test_a_model_without_its_library_is_skipped_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: Contender = CONTENDERS["ncf"]._replace(needs="no_such_library")
    monkeypatch.setitem(run.CONTENDERS, "ncf", lost)
    found = compare(two_camps(), Plan(("popular", "ncf"), seeds=1, trials=0))
    assert found.skipped == {"ncf": "needs no_such_library: pip install 'segue[neural]'"}
    assert tuple(found.figures) == ("popular",)
    assert found.differences == {}


def test_the_interval_is_that_of_students_t() -> None:
    values = np.array([0.31, 0.29, 0.33, 0.30, 0.32])
    interval = ttest_1samp(values, 0.0).confidence_interval(0.95)
    found = over(values)
    assert [found.mean, found.low, found.high] == pytest.approx([0.31, interval.low, interval.high])
    assert over(values[:1]).low is None
