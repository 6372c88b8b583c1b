"""Profiles at a moment are those that a profiler would have held."""

import pytest

from models.evaluation.log import Log
from models.evaluation.replay import Replay
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.events import Listen
from tests.unit.models.evaluation.logs import END, WEEK, crowd, log_of

TASTE = TasteSettings()


def folded(log: Log, user: int, moment: int) -> bytes | None:
    """The same in the plainest way: everything before the moment, from the beginning."""
    first, end = log.events_before(user, moment)
    profile = Profile()
    for offset, row in enumerate(log.events[first:end].iter_rows(named=True), first):
        fold(profile, Listen(**row), offset, TASTE)
    return profile.encode() if end > first else None


def test_snapshots_are_what_folding_from_the_beginning_gives() -> None:
    log = Log(crowd(4))
    replay = Replay(log, TASTE)
    for end in (END - 2 * WEEK, END - WEEK, END):
        moments = [end - WEEK - 80_000, end - WEEK, end - WEEK // 2, end - WEEK // 2, end - 90_000, end - 1]
        for user in range(len(log.names)):
            found = replay.at(user, moments, keep=end - 86_400)
            assert found == [folded(log, user, moment) for moment in moments]


def test_nothing_at_or_after_the_moment_is_in_it() -> None:
    log = Log(log_of([("ann", "a1", 10, 60_000), ("ann", "a2", 5, 60_000)]))
    profiles = Replay(log, TASTE).at(0, [END - 10, END - 9, END - 5, END - 4], keep=END)
    assert [None if data is None else len(Profile.decode(data).tracks) for data in profiles] == [None, 1, 1, 2]


def test_a_moment_before_what_was_kept_is_refused() -> None:
    log = Log(log_of([("ann", "a1", 10, 60_000), ("ann", "a2", 5, 60_000)]))
    replay = Replay(log, TASTE)
    replay.at(0, [END], keep=END)
    with pytest.raises(ValueError, match="before what was kept"):
        replay.at(0, [END - 7], keep=END)
