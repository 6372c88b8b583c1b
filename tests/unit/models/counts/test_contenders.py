"""Each model on counts whose right answer is known, and against the plainest way of reckoning the same."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.counts import contenders
from models.counts.contenders import CONTENDERS, EaseSettings
from models.counts.data import split
from models.counts.judge import Model, judge
from models.counts.weights import Form, weighed
from tests.unit.models.counts.worlds import ITEMS, two_camps

LEARNERS = sorted(CONTENDERS.keys() - {"popular"})


def fitted(name: str, train: csr_matrix, **settings: object) -> Model:
    contender = CONTENDERS[name]
    if contender.needs:
        pytest.importorskip(contender.needs)
    return contender.fit(train, contender.settings(settings), 1, 1)


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns_which_camp_a_listener_is_of(name: str) -> None:
    parts = split(two_camps(), 0.2, np.random.default_rng(1))
    quick = {"ncf": {"epochs": 15, "rate": 0.01, "batch": 256}, "als_tuned": {"factors": 4, "regularization": 1.0}}
    found = judge(fitted(name, parts.train, **quick.get(name, {})), parts)
    rival = judge(fitted("popular", parts.train), parts)
    assert found.values[:, 3].mean() > 0.75 > rival.values[:, 3].mean()  # AUC; all of a camp are alike, so 5/6 at most


@pytest.mark.parametrize("name", sorted(CONTENDERS))
def test_the_same_counts_and_seed_give_the_same_scores(name: str) -> None:
    train, users = two_camps(20), np.arange(20)
    first, again = (fitted(name, train).scores(users) for _ in range(2))
    assert first.shape == (20, ITEMS)
    assert (first == again).all()


@pytest.mark.parametrize("name", sorted(CONTENDERS))
def test_scores_may_be_written_into(name: str) -> None:
    model = fitted(name, two_camps(20))
    before = model.scores(np.array([3, 1])).copy()
    model.scores(np.array([3, 1]))[:] = -np.inf
    assert (model.scores(np.array([3, 1])) == before).all()


def test_popular_is_by_listeners() -> None:
    train = csr_matrix(np.array([[9.0, 1, 0], [0, 1, 0], [0, 0, 1]]))
    assert fitted("popular", train).scores(np.array([2])).tolist() == [[1, 2, 1]]


@pytest.mark.parametrize("most", [5, ITEMS])
def test_item_knn_is_the_shrunk_cosine_of_the_nearest(most: int) -> None:
    train = two_camps(30)
    dense = np.log2(1 + train.toarray())
    dense /= dense[dense > 0].mean()
    lengths = np.linalg.norm(dense, axis=0)
    near = dense.T @ dense / (np.outer(lengths, lengths) + 2.0)
    np.fill_diagonal(near, 0)
    for row in near:
        row[np.argsort(-row, kind="stable")[most:]] = 0
    scores = fitted("item_knn", train, form="log", most=most, shrink=2.0).scores(np.arange(30))
    assert scores == pytest.approx(dense @ near.T, rel=1e-5)


@pytest.mark.parametrize("listeners", [20, 90], ids=["fewer listeners", "fewer items"])
def test_ease_is_the_closed_form(listeners: int) -> None:
    train = two_camps(listeners)
    dense = (train.toarray() > 0).astype(float)
    inverse = np.linalg.inv(dense.T @ dense + 7.0 * np.eye(ITEMS))
    weights = np.eye(ITEMS) - inverse / np.diag(inverse)
    scores = fitted("ease", train, regularization=7.0).scores(np.array([4, 2]))
    assert scores == pytest.approx(dense[[4, 2]] @ weights)


def test_ease_of_too_many_takes_the_items_of_most_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "EASE_MOST", 10)
    train = two_camps(40)
    scores = contenders.Ease(train, EaseSettings(), 0, 1).scores(np.arange(40))
    kept = np.flatnonzero(scores.any(axis=0))
    listeners = train.getnnz(axis=0)
    assert len(kept) == 10
    assert listeners[kept].min() >= np.sort(listeners)[-10]


@pytest.mark.parametrize(("form", "expected"), [("binary", [1, 1, 1]), ("log", [0.5, 1, 1.5]), ("linear", None)])
def test_counts_become_weights_whose_mean_is_one(form: Form, expected: list[float] | None) -> None:
    counts = csr_matrix(np.array([[1.0, 3, 0], [0, 0, 7]]))
    weights = weighed(counts, form, 0.0)
    assert weights.data == pytest.approx(expected or np.array([1, 3, 7]) / (11 / 3))
    assert counts.data.tolist() == [1, 3, 7]


def test_damping_holds_back_what_everybody_has() -> None:
    counts = csr_matrix(np.array([[5.0, 5], [5, 0], [5, 0], [5, 0]]))
    weights = weighed(counts, "binary", 0.5).toarray()
    assert weights[0, 1] / weights[0, 0] == pytest.approx(2.0)  # four listeners against one


def test_a_missing_library_is_named_with_its_extra() -> None:
    assert "pip install 'segue[neural]'" in CONTENDERS["popular"]._replace(needs="no_such_library").missing
    assert not CONTENDERS["popular"].missing
