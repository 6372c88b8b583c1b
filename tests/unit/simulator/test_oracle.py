"""The measure finds understanding where there is some, and nothing where there is none."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from services.simulator.frames import heard_by
from services.simulator.oracle import Verdict, bootstrap, measure
from tests.unit.simulator.conftest import Lived

N = 40


@pytest.fixture(scope="module")
def heard(lived: Lived) -> dict[str, set[str]]:
    return heard_by(lived.listens)


def judged(lived: Lived, lists: dict[str, list[str]], heard: dict[str, set[str]]) -> Verdict:
    return measure(lived.crowd, lists, heard, np.random.default_rng(1))


def test_lists_drawn_by_lot_find_nothing(lived: Lived, heard: dict[str, set[str]]) -> None:
    rng = np.random.default_rng(2)
    out = lived.crowd.out()
    lists = {u: [lived.crowd.track_ids[i] for i in rng.choice(out, N, replace=False)] for u in lived.crowd.user_ids}
    verdict = judged(lived, lists, heard)
    assert abs(verdict.lists.mean - 0.5) < 0.03
    assert verdict.lists.low < 0.5 < verdict.lists.high
    assert verdict.over_popular.low < 0  # no better than what is popular


def test_the_truth_itself_is_nearly_perfect_and_its_reverse_nearly_nothing(
    lived: Lived, heard: dict[str, set[str]]
) -> None:
    ranked = {user: lived.crowd.truth(user).track_ids for user in lived.crowd.user_ids[:60]}
    best = {user: [t for t in tracks if t not in heard.get(user, ())][:N] for user, tracks in ranked.items()}
    verdict = judged(lived, best, heard)
    assert verdict.lists.low > 0.99
    assert verdict.listeners == 60
    assert verdict.tracks == 60 * N
    assert judged(lived, {user: tracks[-N:] for user, tracks in ranked.items()}, heard).lists.high < 0.03


def test_what_goes_together_finds_true_tastes(lived: Lived, heard: dict[str, set[str]]) -> None:
    """Co-occurrence in the events alone, no model: far above chance, and above what is popular."""
    crowd = lived.crowd
    plays = lived.played.filter(pl.col("kind") == "play").group_by("user_id", "track_id").len()
    user = plays["user_id"].replace_strict(crowd.book.user_index).to_numpy()
    track = plays["track_id"].replace_strict(crowd.book.track_index).to_numpy()
    shape = (len(crowd.user_ids), len(crowd.track_ids))
    counts = sparse.csr_matrix((np.log1p(plays["len"].to_numpy()), (user, track)), shape=shape)
    norm = sparse.diags_array(1 / (np.sqrt(np.asarray(counts.multiply(counts).sum(axis=0)).ravel()) + 3))
    cosine = counts @ norm
    scores = ((cosine @ cosine.T) @ cosine).toarray()
    for name, tracks in heard.items():
        scores[crowd.book.user_index[name], [crowd.book.track_index[t] for t in tracks]] = -1
    lists = {name: [crowd.track_ids[i] for i in np.argsort(-scores[u])[:N]] for u, name in enumerate(crowd.user_ids)}
    verdict = judged(lived, lists, heard)
    assert verdict.lists.low > 0.65
    assert verdict.over_popular.low > 0.05
    assert verdict.lists.low > verdict.random.high + 0.1


def test_what_was_played_before_does_not_count(lived: Lived, heard: dict[str, set[str]]) -> None:
    user = lived.crowd.user_ids[0]
    worst = lived.crowd.truth(user).track_ids[-1]
    known = sorted(heard[user] - {worst})
    assert judged(lived, {user: [*known, worst]}, heard).tracks == 1
    with pytest.raises(ValueError, match="nothing to judge"):
        judged(lived, {user: known}, heard)


def test_strange_names_are_refused(lived: Lived, heard: dict[str, set[str]]) -> None:
    with pytest.raises(ValueError, match="no listener 'nobody'"):
        judged(lived, {"nobody": lived.crowd.track_ids[:3]}, heard)
    with pytest.raises(ValueError, match="no track 'nothing'"):
        judged(lived, {lived.crowd.user_ids[0]: ["nothing"]}, heard)


def test_the_interval_is_that_of_the_mean() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0.6, 0.2, 400)
    mean, low, high = bootstrap(values, rng)
    half = 1.96 * values.std() / np.sqrt(400)
    assert mean == values.mean()
    assert abs(low - (mean - half)) < 0.003
    assert abs(high - (mean + half)) < 0.003
