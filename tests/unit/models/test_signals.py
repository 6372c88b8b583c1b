"""What others play, as a listener's signals: on sequences made by hand."""

import numpy as np
import pytest

from models.scratch import Scratch
from models.sources.base import Listener
from models.sources.signals import Signals
from tests.unit.models.plays import listener, scores
from tests.unit.scorer.worlds import Links, table

SCRATCH = Scratch.of(20)


def signals(who: Listener, followers: Links | None = None, neighbours: Links | None = None, size: int = 10) -> Signals:
    return Signals(who, table(size, followers), table(size, neighbours), SCRATCH)


def test_next_is_of_the_last_track_and_then_of_the_last_five_fading() -> None:
    who = listener(*((row, 60 * row) for row in range(6)))  # 5 is the newest
    made = signals(who, {5: {9: 0.5}, 4: {9: 0.5, 8: 0.25}, 1: {7: 1.0}, 0: {6: 1.0}})
    assert scores(made.everybody.next) == pytest.approx({9: 0.5})
    assert scores(made.everybody.then) == pytest.approx({9: 0.5 + 0.6 * 0.5, 8: 0.6 * 0.25, 7: 0.6**4})


def test_near_is_around_the_last_ten_fading() -> None:
    who = listener(*((row, 60 * row) for row in range(11)))  # 10 is the newest, 0 the eleventh
    made = signals(who, neighbours={10: {3: 0.5}, 9: {3: 0.5}, 1: {4: 1.0}, 0: {5: 1.0}}, size=11)
    assert scores(made.everybody.near) == pytest.approx({3: 0.5 + 0.8 * 0.5, 4: 0.8**9})


def test_taste_is_around_what_the_listener_likes() -> None:
    weights = np.array([3.0, -2.0, 0.0, 1.0])
    made = signals(
        Listener(rows=np.arange(4), weights=weights), neighbours={row: {5 + row: 0.5, 9: 0.1} for row in range(4)}
    )
    strong, weak = np.log1p(9.0), np.log1p(3.0)
    assert scores(made.everybody.taste) == pytest.approx({5: strong / 2, 8: weak / 2, 9: (strong + weak) * 0.1})


def test_taste_looks_at_the_strongest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sources.signals.OWN_TRACKS", 2)
    who = Listener(rows=np.arange(4), weights=np.array([1.0, 4.0, 2.0, 3.0]))
    assert set(scores(signals(who, neighbours={row: {5 + row: 0.5} for row in range(4)}).everybody.taste)) == {6, 8}


def test_unknown_tracks_and_those_beyond_the_table_say_nothing() -> None:
    odd = listener((7, 0), (-1, 60), (2, 120))
    made = signals(odd, {2: {0: 0.5}, 6: {1: 1.0}}, {2: {0: 0.5}, 6: {1: 1.0}}, size=7)
    assert scores(made.everybody.then) == pytest.approx({0: 0.5})
    assert scores(made.everybody.near) == pytest.approx({0: 0.5})
    assert scores(signals(odd, size=0).everybody.then) == {}


def test_a_table_of_the_first_rows_may_name_later_ones() -> None:
    made = signals(listener((1, 0)), {1: {8: 0.5}}, size=2)
    assert scores(made.everybody.next) == pytest.approx({8: 0.5})
    assert made.everybody.next.at(np.array([8, 1]), SCRATCH).tolist() == [0.5, 0.0]


def test_a_stranger_says_nothing() -> None:
    made = signals(Listener(), {0: {1: 1.0}}, {0: {1: 1.0}})
    for each in (*made.own, made.alike, *made.everybody):
        assert scores(each) == {}
