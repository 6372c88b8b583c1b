"""What is asked, of whom, and what is right."""

import numpy as np
import polars as pl
import pytest

from models.evaluation.log import Log
from models.evaluation.protocol import (
    DAY,
    WEEK,
    NothingToJudge,
    Protocol,
    Window,
    next_plays,
    prove,
    weekly,
    windows,
)
from tests.unit.models.evaluation.logs import END, Play, crowd, log_of

LONG = 200_000


def five(user: str, before: int) -> list[Play]:
    return [(user, f"a{track}", before - track, LONG) for track in range(5)]


def test_windows_end_with_the_newest_listen_oldest_first() -> None:
    log = Log(log_of([("ann", "a1", 1, LONG)]))
    assert windows(log, Protocol(weeks=2)) == [Window(END - 2 * WEEK, END - WEEK), Window(END - WEEK, END)]
    assert windows(log, Protocol(weeks=1, skip=1)) == [Window(END - 2 * WEEK, END - WEEK)]


def test_a_skip_is_neither_wanted_nor_known_but_met() -> None:
    log = Log(log_of([("ann", "a1", 2 * WEEK, LONG), ("ann", "a2", 2 * WEEK, 29_999), ("ann", "a3", 9, 29_999),
                      ("ann", "a4", 8, 30_000), ("ann", "a1", 1, LONG), ("ann", "a1", 2, LONG)]))  # fmt: skip
    week = weekly(log, windows(log, Protocol(weeks=1))[0])
    assert [log.tracks[item] for item in week.wanted(0)] == ["a1", "a4"]
    known, met = log.known(0, week.window.start)
    assert ([log.tracks[item] for item in known], [log.tracks[item] for item in met]) == (["a1"], ["a1", "a2"])


def test_a_play_without_length_was_heard_to_the_end_and_a_skip_was_not() -> None:
    frame = log_of([("ann", "a1", 2, LONG), ("ann", "a2", 1, LONG)]).with_columns(
        ms_played=pl.lit(None, pl.Int64), kind=pl.Series(["play", "skip"])
    )
    assert Log(frame).played.tolist() == [True, False]


def test_a_love_is_folded_but_judges_nothing() -> None:
    frame = log_of([("ann", "a1", 2, LONG), ("ann", "a2", 1, LONG)]).with_columns(kind=pl.Series(["play", "love"]))
    log = Log(frame)
    assert (log.events.height, len(log.items)) == (2, 1)


def test_asked_are_those_who_played_before_judged_those_who_play_enough() -> None:
    plays = [
        ("ann", "a1", 2 * WEEK, LONG), *five("ann", DAY),  # asked and judged
        ("ben", "a1", 2 * WEEK, LONG), ("ben", "a2", DAY, LONG),  # asked; plays too little to be judged
        ("cat", "a1", 2 * WEEK, 1_000), *five("cat", DAY),  # had only skipped: not asked, judged all the same
        ("dan", "a1", 1, LONG),
    ]  # fmt: skip
    log = Log(log_of(plays))
    week = weekly(log, windows(log, Protocol(weeks=1))[0])
    assert [log.names[user] for user in week.asked] == ["ann", "ben"]
    assert [log.names[user] for user in week.judged] == ["ann", "cat"]


def test_what_happens_at_a_moment_is_not_before_it() -> None:
    log = Log(log_of([("ann", "a1", 10, LONG), ("ann", "a2", 5, LONG), ("ann", "a3", 5, LONG)]))
    assert log.before(0, END - 5) == slice(0, 1)
    assert log.before(0, END - 4) == slice(0, 3)


def test_plays_of_one_second_are_not_asked_for() -> None:
    log = Log(log_of([*five("ann", 100), ("ann", "b1", 50, LONG), ("ann", "b2", 50, LONG), ("ben", "b1", 50, LONG)]))
    guesses = next_plays(log, Protocol(weeks=1, share=1.0))
    assert len(guesses.users) == 6
    assert (guesses.moments == END - 50).sum() == 1  # ben's


def test_a_repeat_was_played_before_not_only_skipped_and_at_an_earlier_second() -> None:
    log = Log(log_of([("ann", "a1", 5 * WEEK, LONG), ("ann", "a2", 5 * WEEK, 1_000), ("ann", "a1", 9, LONG),
                      ("ann", "a2", 8, LONG), ("ann", "a2", 7, LONG)]))  # fmt: skip
    guesses = next_plays(log, Protocol(weeks=1, share=1.0))
    assert [(log.tracks[item], bool(had)) for item, had in zip(guesses.items, guesses.repeat, strict=True)] == [
        ("a1", True), ("a2", False), ("a2", True),
    ]  # fmt: skip


def test_the_draw_does_not_depend_on_the_order_of_the_file() -> None:
    listens = crowd(3)
    drawn = next_plays(Log(listens), Protocol())
    mixed = next_plays(Log(listens.sample(fraction=1.0, shuffle=True, seed=1)), Protocol())
    assert np.array_equal(drawn.moments, mixed.moments)
    assert np.array_equal(drawn.users, mixed.users)
    assert 0 < len(drawn.users) < 0.12 * listens.height


def test_an_event_that_was_sent_twice_counts_once() -> None:
    listens = log_of(five("ann", 100))
    assert Log(pl.concat([listens, listens])).events.height == 5


def test_a_log_that_is_too_short_is_refused_with_what_to_do() -> None:
    with pytest.raises(NothingToJudge, match=r"log of 0\.0 days.*fewer --weeks"):
        prove(Log(log_of(five("ann", 100))), Protocol())
    with pytest.raises(NothingToJudge):
        prove(Log(log_of([])), Protocol())
