"""Baselines against the plainest way of reckoning the same."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.ease import Inverse
from models.evaluation.baselines.chain import Chain
from models.evaluation.baselines.ease import Ease
from models.evaluation.baselines.neighbours import Neighbours
from models.evaluation.baselines.past import Columns, past
from models.evaluation.baselines.personal import Personal
from models.evaluation.baselines.popular import Random, decayed_popular, popular
from models.evaluation.log import Log
from models.evaluation.systems import Asked, System, best
from tests.unit.models.evaluation.logs import END, WEEK, crowd, log_of

LONG = 200_000
LOG = Log(
    log_of([
        ("ann", "a1", 400, LONG), ("ann", "a1", 390, LONG), ("ann", "a2", 380, LONG), ("ann", "a3", 370, 1_000),
        ("ben", "a2", 360, LONG), ("ben", "a3", 350, LONG), ("cat", "a2", 340, LONG), ("cat", "a4", 330, LONG),
        ("ann", "a5", 5, LONG),
    ])
)  # fmt: skip
MOMENT = END - 100


def ask(log: Log, system: System, user: str, kind: str = "weekly", moment: int = MOMENT) -> list[str]:
    at = log.names.index(user)
    known, met = log.known(at, moment)
    asked = Asked("weekly" if kind == "weekly" else "next", np.array([at]), np.array([moment]), [None], [known], [met])
    return [log.tracks[item] for item in system.lists(asked)[0]]


@pytest.mark.parametrize("kind", ["weekly", "next"])
def test_popular_is_by_listeners_then_by_plays(kind: str) -> None:
    assert ask(LOG, popular(past(LOG, MOMENT)), "ann", kind) == ["a2", "a1", "a3", "a4"]  # a1 was played twice


def test_decayed_popular_is_by_listeners_who_played_it_lately() -> None:
    assert ask(LOG, decayed_popular(past(LOG, MOMENT), 60 / 86_400), "ann") == ["a2", "a4", "a3", "a1"]


def test_personal_knows_the_listeners_own_plays_up_to_the_moment() -> None:
    assert ask(LOG, Personal(LOG, None), "ann") == ["a1", "a2"]  # a3 was only skipped
    assert ask(LOG, Personal(LOG, 5 / 86_400), "ann") == ["a2", "a1"]
    assert ask(LOG, Personal(LOG, 5 / 86_400), "ann", moment=END) == ["a5", "a2", "a1"]


def test_a_chain_goes_on_as_before_then_as_others_then_with_what_is_played_most() -> None:
    plays = [
        ("ann", track, 4_000 - 100 * at, LONG) for at, track in enumerate(["q", "x", "y", "x", "z", "x", "y", "x"])
    ]
    log = Log(log_of([*plays, ("ben", "x", 900, LONG), ("ben", "w", 800, LONG), ("ben", "v", 90, LONG)]))
    assert ask(log, Chain(past(log, MOMENT)), "ann", "next") == ["y", "z", "w", "x", "q"]
    assert ask(log, Chain(past(log, MOMENT)), "ben", "next") == ["w", "x"]  # nobody has gone on from w


def test_random_lists_every_track_that_was_played_and_does_so_again() -> None:
    system = Random(past(LOG, MOMENT), seed=1)
    assert sorted(ask(LOG, system, "ann")) == ["a1", "a2", "a3", "a4"]
    assert ask(LOG, system, "ann") == ask(LOG, system, "ann")
    lists = {tuple(ask(LOG, system, "ann", "next", MOMENT + late)) for late in range(20)}
    assert len(lists) > 5


def test_nothing_after_the_window_began_is_fitted() -> None:
    assert "a5" not in {LOG.tracks[item] for item in past(LOG, MOMENT).items}
    assert "a5" in {LOG.tracks[item] for item in past(LOG, END).items}


def test_neighbours_are_by_cosine() -> None:
    log = Log(crowd(6))
    moment = END - WEEK
    before = past(log, moment)
    dense = np.zeros((len(log.names), len(log.tracks)))
    dense[before.users, before.items] = np.log2(1 + before.plays)
    heard = np.flatnonzero((dense > 0).sum(axis=0) >= 2)
    columns = dense[:, heard]
    cosine = (columns.T @ columns) / np.outer(np.linalg.norm(columns, axis=0), np.linalg.norm(columns, axis=0))
    scores = columns[3] @ cosine
    expected = [log.tracks[item] for item in heard[np.argsort(-scores, kind="stable")]][:20]
    assert ask(log, Neighbours(before), log.names[3], "next", moment) == expected


def test_ease_is_the_closed_form_whichever_inverse_is_smaller() -> None:
    matrix = np.random.default_rng(2).poisson(0.7, size=(9, 30)).astype(float)
    direct = np.linalg.inv(matrix.T @ matrix + 3 * np.eye(30))
    for part in (matrix, matrix[:, :7]):
        whole = np.linalg.inv(part.T @ part + 3 * np.eye(part.shape[1]))
        inverse = Inverse(csr_matrix(part), 3.0)
        assert inverse.diagonal == pytest.approx(np.diag(whole))
        assert inverse.times(part) == pytest.approx(part @ whole)
    weights = np.eye(30) - direct / np.diag(direct)
    assert np.diag(weights) == pytest.approx(np.zeros(30))
    inverse = Inverse(csr_matrix(matrix), 3.0)
    assert matrix - inverse.times(matrix) / inverse.diagonal == pytest.approx(matrix @ weights)


def test_ease_finds_what_goes_together() -> None:
    """Listeners of the a-tracks and of the b-tracks; the one asked has all of one side but one."""
    rows = [(f"u{user}", f"{side}{track}", 900 + user, LONG) for user in range(12) for track in range(6)
            for side in ["ab"[user % 2]] if not (user == 0 and track == 5)]  # fmt: skip
    log = Log(log_of(rows))
    own = {f"a{number}" for number in range(5)}
    first = next(track for track in ask(log, Ease(past(log, MOMENT), 1.0), "u0", "next") if track not in own)
    assert first == "a5"


def test_the_rows_of_listeners_are_as_in_the_matrix() -> None:
    log = Log(crowd(7))
    moment = END - WEEK
    columns = Columns(log, past(log, moment).shared(2, 50))
    users = np.arange(len(log.names))
    rows = columns.rows(users, np.full(len(users), moment)).toarray()
    assert np.array_equal(rows, columns.matrix(past(log, moment)).toarray())
    assert rows.any()


def test_a_weekly_list_has_the_best_of_each_kind_merged_by_score() -> None:
    items = np.arange(1_000)
    scores = np.random.default_rng(3).random(1_000)
    known, met = np.arange(300), np.arange(600)
    asked = Asked("weekly", np.array([0]), np.array([0]), [None], [known], [met])
    found = best(items, scores, asked, 0)
    order = np.argsort(-scores)
    assert len(found) == len(np.unique(found)) == 300
    for kind in (order < 300, (order >= 300) & (order < 600), order >= 600):
        mine = set(order[kind][:100].tolist())
        assert [item for item in found.tolist() if item in mine] == order[kind][:100].tolist()
    assert found[:100].tolist() == order[:100].tolist()
    short = best(items, np.where(scores > 0.5, scores, -np.inf), asked, 0)
    assert set(short.tolist()) <= set(np.flatnonzero(scores > 0.5).tolist())
