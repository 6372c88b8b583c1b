"""What a listener's own past says: on sequences made by hand, and against a slow and plain reference."""

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scratch import Scratch
from models.sources.base import Listener
from models.sources.own_past import (
    ALIKE_HALF_LIFE_S,
    AROUND,
    AROUND_BEND,
    AROUND_FADE,
    HALF_LIFE_S,
    LONGEST,
    OCCURRENCES,
    PAUSE_S,
    SESSION_S,
    SKIPPED,
    SOON,
    WINDOW,
    alike,
    own_past,
)
from models.sources.sparse import Sparse
from tests.unit.models.plays import listener, scores

DAY = 86_400
SCRATCH = Scratch.of(100)


def after(who: Listener) -> tuple[Sparse, Sparse]:
    """What followed each of the last ten, and the last two."""
    found = own_past(who, SCRATCH)
    return found.after, found.pair


def test_what_came_after_the_newest_track_before_comes_first() -> None:
    own, _ = after(listener((1, 0), (2, 60), (3, 120), (1, 86_400)))
    fade = 2.0 ** (-DAY / HALF_LIFE_S)
    assert scores(own) == pytest.approx({2: fade, 3: fade / 2})
    assert own.top(2).tolist() == [2, 3]


def test_the_plays_before_vote_for_what_came_next_with_less_weight() -> None:
    own, _ = after(listener((1, 0), (2, 60), (3, 120), (1, 3_000_000), (4, 3_000_060)))
    fade = 2.0 ** ((0 - 3_000_060) / HALF_LIFE_S)
    assert scores(own) == pytest.approx({3: fade / 2})  # two after 1, which is one back; 2 was where 4 is now


def test_only_the_same_two_tracks_before_count_as_a_pair() -> None:
    now = [(8, 2 * DAY), (1, 2 * DAY + 60)]
    own, pair = after(listener((7, 0), (1, 60), (2, 120), (8, DAY), (1, DAY + 60), (3, DAY + 120), *now))
    assert set(scores(own)) == {2, 3}
    assert scores(pair) == pytest.approx({3: 2.0 ** (-DAY / HALF_LIFE_S)})


def test_two_unknown_tracks_before_are_not_the_same() -> None:
    _, pair = after(listener((-1, 0), (1, 60), (2, 120), (-1, DAY), (1, DAY + 60)))
    assert scores(pair) == {}


@pytest.mark.parametrize(("later", "found"), [(SESSION_S - 1, {2}), (SESSION_S, set())])
def test_what_came_long_after_did_not_follow(later: int, found: set[int]) -> None:
    own, _ = after(listener((1, 0), (2, later), (1, DAY)))
    assert set(scores(own)) == found


def test_what_was_skipped_then_counts_half() -> None:
    played, _ = after(listener((1, 0), (2, 60), (3, 120), (1, DAY)))
    own, _ = after(listener((1, 0), (2, 60), (3, 120), (1, DAY), skipped=(1,)))
    assert scores(own) == {2: SKIPPED * scores(played)[2], 3: scores(played)[3]}


def test_tracks_that_the_release_does_not_know_neither_vote_nor_are_voted_for() -> None:
    own, _ = after(listener((1, 0), (-1, 60), (3, 120), (1, DAY)))
    assert set(scores(own)) == {3}
    own, pair = after(listener((-1, 0), (2, 60), (3, 120), (-1, DAY)))
    assert (scores(own), scores(pair)) == ({}, {})


def test_only_the_window_is_looked_at() -> None:
    filler = [(10 + at, 60 * at) for at in range(1, WINDOW + 2)]
    own, _ = after(listener((1, 0), *filler, (1, DAY)))
    assert set(scores(own)) == {10 + at for at in range(1, WINDOW + 1)}


def test_where_the_listener_is_now_is_no_step_they_went_on_with() -> None:
    own, _ = after(listener((1, 0), (1, 60), (2, 120)))
    assert scores(own) == {}


def test_only_the_newest_occurrences_vote() -> None:
    often = [play for at in range(OCCURRENCES) for play in ((1, DAY * (at + 1)), (2, DAY * (at + 1) + 60))]
    own, _ = after(listener((1, 0), (9, 60), *often, (1, DAY * 100)))
    assert set(scores(own)) == {2}


def test_no_past_says_nothing() -> None:
    for few in ((), ((1, 0),), ((1, 0), (2, 60))):
        assert all(scores(each) == {} for each in (*own_past(listener(*few), SCRATCH), alike(listener(*few), SCRATCH)))


# --- against the definition

PLAYS = st.lists(
    st.tuples(st.integers(-1, 6), st.sampled_from([60, 200, PAUSE_S, PAUSE_S + 1, SESSION_S, DAY]), st.booleans()),
    min_size=1, max_size=70,
)  # fmt: skip


def played(plays: list[tuple[int, int, bool]]) -> Listener:
    times = np.cumsum([later for _, later, _ in plays])
    skipped = tuple(at for at, play in enumerate(plays) if not play[2])
    return listener(*zip([row for row, _, _ in plays], times.tolist(), strict=True), skipped=skipped)


def slow_past(who: Listener) -> dict[str, dict[int, float]]:
    rows, times, heard = who.recent.tolist(), who.recent_times.tolist(), who.recent_played.tolist()
    size, found = len(rows), {name: {} for name in ("after", "pair", "straight", "soon", "around")}

    def vote(name: str, row: int, weight: float) -> None:
        found[name][row] = found[name].get(row, 0.0) + weight

    for k in range(min(WINDOW, size - 1)):
        now = rows[size - 1 - k]
        past = [p for p in range(size - 1 - k) if rows[p] == now and now >= 0][-OCCURRENCES:]
        for p in past:
            fade = 2 ** ((times[p] - times[-1]) / HALF_LIFE_S)
            for to in range(max(0, p - AROUND), min(p + WINDOW + 1, size - k)):
                d = to - p
                if d == 0 or rows[to] < 0 or abs(times[to] - times[p]) >= SESSION_S:
                    continue
                if d <= AROUND:
                    vote("around", rows[to], AROUND_FADE**k * fade / abs(d) ** AROUND_BEND)
                if d <= k:
                    continue
                worth = fade * (1 if heard[to] else SKIPPED)
                vote("after", rows[to], worth / (k + 1) / (d - k))
                if k == 0 and p and rows[p - 1] == rows[-2] >= 0:
                    vote("pair", rows[to], worth / d)
                if k == 0 and d == 1:
                    vote("straight", rows[to], worth)
                if k == 0 and d <= SOON:
                    vote("soon", rows[to], 1 / len(past))
    return found


@settings(max_examples=300, deadline=None)
@given(plays=PLAYS)
def test_the_past_says_what_the_definition_says(plays: list[tuple[int, int, bool]]) -> None:
    who = played(plays)
    for name, expected in slow_past(who).items():
        assert scores(getattr(own_past(who, SCRATCH), name)) == pytest.approx(expected), name


def slow_alike(who: Listener) -> dict[int, float]:
    rows, times = who.recent.tolist(), who.recent_times.tolist()
    number = [0]
    for a, b in pairwise(times):
        number.append(number[-1] + (b - a > PAUSE_S))
    current = min(max(number.count(number[-1]), WINDOW), LONGEST)
    end = max(0, len(rows) - current)
    newest = rows[end:][::-1]
    found: dict[int, float] = {}
    for _, positions in groupby(range(end), key=number.__getitem__):
        session = list(positions)
        tracks = {rows[at] for at in session} - {-1}
        both = sum((1 + newest.index(row)) ** -0.5 for row in tracks if row in newest)
        weight = both / max(5, len(session)) ** 0.5 * 2 ** ((times[session[0]] - times[-1]) / ALIKE_HALF_LIFE_S)
        for row in tracks if both else ():
            found[row] = found.get(row, 0.0) + weight
    return found


@settings(max_examples=300, deadline=None)
@given(plays=PLAYS)
def test_sessions_like_this_one_say_what_the_definition_says(plays: list[tuple[int, int, bool]]) -> None:
    assert scores(alike(played(plays), SCRATCH)) == pytest.approx(slow_alike(played(plays)))


def test_only_the_sessions_most_alike_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    filler = [(30 + at, 50 * DAY + 60 * at) for at in range(WINDOW - 2)]
    who = listener((1, 0), (3, 60), (1, DAY), (2, DAY + 60), (4, DAY + 120), *filler, (1, 51 * DAY), (2, 51 * DAY + 60))
    assert set(scores(alike(who, SCRATCH, 1))) == {1, 2, 4}
