"""What a listener's past says of tracks: on sequences made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sources.base import NO_ROWS, Listener
from models.sources.signals import (
    NONE,
    OCCURRENCES,
    OWN_HALF_LIFE_S,
    SESSION_S,
    SKIPPED,
    WINDOW,
    Signals,
    Sparse,
    continuations,
)
from tests.unit.scorer.worlds import NOON, Links, table

DAY = 86_400


def sparse(**scores: float) -> Sparse:
    return Sparse(np.array([int(row[1:]) for row in scores]), np.array(list(scores.values())))


def listener(*plays: tuple[int, int], skipped: tuple[int, ...] = ()) -> Listener:
    """Who played (row, seconds after noon); `skipped` are positions."""
    recent, times = np.array(plays, dtype=np.int64).reshape(-1, 2).T
    played = ~np.isin(np.arange(len(recent)), skipped)
    return Listener(
        newest=int(times.max(initial=0)) + NOON, recent=recent, recent_times=times + NOON, recent_played=played
    )


def scores(found: Sparse) -> dict[int, float]:
    return dict(zip(found.rows.tolist(), found.weights.tolist(), strict=True))


# --- sparse


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


# --- the listener's own past


def test_what_came_after_the_newest_track_before_comes_first() -> None:
    own, _ = continuations(listener((1, 0), (2, 60), (3, 120), (1, 86_400)))
    fade = 2.0 ** (-DAY / OWN_HALF_LIFE_S)
    assert scores(own) == pytest.approx({2: fade, 3: fade / 2})
    assert own.top(2).tolist() == [2, 3]


def test_the_plays_before_vote_for_what_came_next_with_less_weight() -> None:
    own, _ = continuations(listener((1, 0), (2, 60), (3, 120), (1, 3_000_000), (4, 3_000_060)))
    fade = 2.0 ** ((0 - 3_000_060) / OWN_HALF_LIFE_S)
    assert scores(own) == pytest.approx({3: fade / 2})  # two after 1, which is one back; 2 was where 4 is now


def test_only_the_same_two_tracks_before_count_as_a_pair() -> None:
    now = [(8, 2 * DAY), (1, 2 * DAY + 60)]
    own, pair = continuations(listener((7, 0), (1, 60), (2, 120), (8, DAY), (1, DAY + 60), (3, DAY + 120), *now))
    assert set(scores(own)) == {2, 3}
    assert scores(pair) == pytest.approx({3: 2.0 ** (-DAY / OWN_HALF_LIFE_S)})


def test_two_unknown_tracks_before_are_not_the_same() -> None:
    _, pair = continuations(listener((-1, 0), (1, 60), (2, 120), (-1, DAY), (1, DAY + 60)))
    assert scores(pair) == {}


@pytest.mark.parametrize(("later", "found"), [(SESSION_S - 1, {2}), (SESSION_S, set())])
def test_what_came_long_after_did_not_follow(later: int, found: set[int]) -> None:
    own, _ = continuations(listener((1, 0), (2, later), (1, DAY)))
    assert set(scores(own)) == found


def test_what_was_skipped_then_counts_half() -> None:
    played, _ = continuations(listener((1, 0), (2, 60), (3, 120), (1, DAY)))
    own, _ = continuations(listener((1, 0), (2, 60), (3, 120), (1, DAY), skipped=(1,)))
    assert scores(own) == {2: SKIPPED * scores(played)[2], 3: scores(played)[3]}


def test_tracks_that_the_release_does_not_know_neither_vote_nor_are_voted_for() -> None:
    own, _ = continuations(listener((1, 0), (-1, 60), (3, 120), (1, DAY)))
    assert set(scores(own)) == {3}
    own, pair = continuations(listener((-1, 0), (2, 60), (3, 120), (-1, DAY)))
    assert (scores(own), scores(pair)) == ({}, {})


def test_only_the_window_is_looked_at() -> None:
    filler = [(10 + at, 60 * at) for at in range(1, WINDOW + 2)]
    own, _ = continuations(listener((1, 0), *filler, (1, DAY)))
    assert set(scores(own)) == {10 + at for at in range(1, WINDOW + 1)}


def test_where_the_listener_is_now_is_no_step_they_went_on_with() -> None:
    own, _ = continuations(listener((1, 0), (1, 60), (2, 120)))
    assert scores(own) == {}


def test_only_the_newest_occurrences_vote() -> None:
    often = [play for at in range(OCCURRENCES) for play in ((1, DAY * (at + 1)), (2, DAY * (at + 1) + 60))]
    own, _ = continuations(listener((1, 0), (9, 60), *often, (1, DAY * 100)))
    assert set(scores(own)) == {2}


def test_no_past_says_nothing() -> None:
    for few in ((), ((1, 0),), ((1, 0), (2, 60))):
        assert all(scores(each) == {} for each in continuations(listener(*few)))


# --- what others play


def signals(who: Listener, followers: Links | None = None, neighbours: Links | None = None, size: int = 10) -> Signals:
    return Signals(who, table(size, followers), table(size, neighbours))


def test_next_is_of_the_last_track_and_then_of_the_last_five_fading() -> None:
    who = listener(*((row, 60 * row) for row in range(6)))  # 5 is the newest
    made = signals(who, {5: {9: 0.5}, 4: {9: 0.5, 8: 0.25}, 1: {7: 1.0}, 0: {6: 1.0}})
    assert scores(made.next) == pytest.approx({9: 0.5})
    assert scores(made.then) == pytest.approx({9: 0.5 + 0.6 * 0.5, 8: 0.6 * 0.25, 7: 0.6**4})


def test_near_is_around_the_last_ten_fading() -> None:
    who = listener(*((row, 60 * row) for row in range(11)))  # 10 is the newest, 0 the eleventh
    made = signals(who, neighbours={10: {3: 0.5}, 9: {3: 0.5}, 1: {4: 1.0}, 0: {5: 1.0}}, size=11)
    assert scores(made.near) == pytest.approx({3: 0.5 + 0.8 * 0.5, 4: 0.8**9})


def test_taste_is_around_what_the_listener_likes() -> None:
    weights = np.array([3.0, -2.0, 0.0, 1.0])
    made = signals(
        Listener(rows=np.arange(4), weights=weights), neighbours={row: {5 + row: 0.5, 9: 0.1} for row in range(4)}
    )
    strong, weak = np.log1p(9.0), np.log1p(3.0)
    assert scores(made.taste) == pytest.approx({5: strong / 2, 8: weak / 2, 9: (strong + weak) * 0.1})


def test_taste_looks_at_the_strongest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sources.signals.OWN_TRACKS", 2)
    who = Listener(rows=np.arange(4), weights=np.array([1.0, 4.0, 2.0, 3.0]))
    assert set(scores(signals(who, neighbours={row: {5 + row: 0.5} for row in range(4)}).taste)) == {6, 8}


def test_unknown_tracks_and_those_beyond_the_table_say_nothing() -> None:
    odd = listener((7, 0), (-1, 60), (2, 120))
    made = signals(odd, {2: {0: 0.5}, 6: {1: 1.0}}, {2: {0: 0.5}, 6: {1: 1.0}}, size=7)
    assert scores(made.then) == pytest.approx({0: 0.5})
    assert scores(made.near) == pytest.approx({0: 0.5})
    assert scores(signals(odd, size=0).then) == {}


def test_a_table_of_the_first_rows_may_name_later_ones() -> None:
    made = signals(listener((1, 0)), {1: {8: 0.5}}, size=2)
    assert scores(made.next) == pytest.approx({8: 0.5})
    assert made.next.at(np.array([8, 1])).tolist() == [0.5, 0.0]


def test_a_stranger_says_nothing() -> None:
    made = signals(Listener(), {0: {1: 1.0}}, {0: {1: 1.0}})
    for each in (*made.own, made.next, made.then, made.near, made.taste):
        assert scores(each) == {}
