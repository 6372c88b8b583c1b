"""A crowd that goes from its past to a running stream: ids, lists, tracks, times; and what is refused."""

import asyncio
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from schemas.codec import encode
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from schemas.track import Track
from services.demo.crowd import going_on, unless
from services.demo.data import lived
from services.demo.past import WEEK_MS, _refuse_another_crowd, whole_weeks
from services.importer.ledger import TrackLedger
from services.importer.tables import encode_tracks
from services.runtime.errors import BrokerAway, Fatal
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.settings import DAY_MS, CrowdSettings

TINY = CrowdSettings(listeners=40, artists=60, tracks=1_000, sessions_a_day=4.0, new_days=20)
DAYS = 3

Messages = list[Listen | Track]


def crowd(seed: int = 5) -> Crowd:
    return make_crowd(TINY, np.random.default_rng(seed))


def live(
    made: Crowd, newest: dict[str, Recommendations], known: set[str], n: int = 3_000, mark: str = "m"
) -> list[Listen | Track]:
    return list(islice(going_on(made, newest, known, mark, lambda: 77), n))


def some_list(made: Crowd, user: str) -> Recommendations:
    out = [made.track_ids[i] for i in made.out()[:30]]
    return Recommendations(f"list of {user}", user, 0, 0, "r", 1, 1, 1, [Item(t, 1.0, "why", "als") for t in out])


def test_each_live_run_has_event_ids_of_its_own_and_times_of_its_clock() -> None:
    one, two = crowd(), crowd()
    past, tracks = lived(one, DAYS)
    lived(two, DAYS)
    known = set(tracks["track_id"])
    first = [it for it in live(one, {}, known) if isinstance(it, Listen)]
    second = [it for it in live(two, {}, known, mark="n") if isinstance(it, Listen)]
    ids = [*past["event_id"], *(it.event_id for it in (*first, *second))]
    assert len(set(ids)) == len(ids) == past.height + len(first) + len(second)
    assert {it.listened_at for it in first} == {77}


def test_listeners_play_from_the_list_that_is_newest_when_they_choose() -> None:
    made = crowd()
    _, tracks = lived(made, DAYS)
    newest: dict[str, Recommendations] = {}
    going = going_on(made, newest, set(tracks["track_id"]), "m", lambda: 77)
    assert not [it for it in islice(going, 500) if isinstance(it, Listen) and it.list_id]
    newest |= {user: some_list(made, user) for user in made.user_ids}
    taken = [it for it in islice(going, 3_000) if isinstance(it, Listen) and it.list_id]
    assert len(taken) > 300
    for it in taken:
        assert it.organic is False
        assert it.list_id == f"list of {it.user_id}"
        assert it.track_id in {item.track_id for item in newest[it.user_id].items}


@pytest.mark.parametrize("days", [0, DAYS])
def test_only_tracks_that_were_not_sent_come_live_each_before_its_first_play(days: int) -> None:
    made = crowd()
    _, tracks = lived(made, days)
    known = set(tracks["track_id"])
    messages = live(made, {}, known, n=4_000)
    fresh = [it.track_id for it in messages if isinstance(it, Track)]
    assert fresh
    assert not known & set(fresh)
    there = set(known)
    for it in messages:
        if isinstance(it, Listen):
            assert it.track_id in there
        else:
            there.add(it.track_id)


def test_a_crowd_parts_ways_after_the_same_past() -> None:
    def listens(rng: int) -> tuple[pl.DataFrame, Messages]:
        made = crowd()
        past, tracks = lived(made, DAYS)
        made.part_ways(np.random.default_rng([5, rng]))
        return past, live(made, {}, set(tracks["track_id"]))

    (past, one), (same_past, two), (_, again) = listens(1), listens(2), listens(1)
    assert past.equals(same_past)
    assert one == again
    assert one != two


def test_the_past_ends_in_the_week_before_now_on_the_same_weekday() -> None:
    end = 1_735_704_000_000
    for now in (end, end + 1, end + WEEK_MS - 1, end + 90 * WEEK_MS + 5 * DAY_MS, end - 3 * DAY_MS):
        moved = end + whole_weeks(end, now)
        assert moved <= now < moved + WEEK_MS
        assert (moved - end) % WEEK_MS == 0


def test_the_same_crowd_is_let_in_again_and_another_one_refused(tmp_path: Path) -> None:
    made = crowd()
    _, tracks = lived(made, DAYS)
    known = TrackLedger(tmp_path / "none.npz")
    _refuse_another_crowd(tracks, known)
    for track_id, value in encode_tracks(tracks):
        assert isinstance(value, bytes)
        known.put(track_id, value)
    later, more = lived(made, 30)[1], made.tracks()
    for track in more:  # as they are sent live
        known.put(track.track_id, encode(track))
    assert later.height > tracks.height
    _refuse_another_crowd(later, known)
    _, others = lived(crowd(6), DAYS)
    with pytest.raises(Fatal, match=r"already holds another track-000000, .*nothing was sent"):
        _refuse_another_crowd(others, known)


def test_work_that_is_told_to_stop_is_cancelled_and_cleans_up() -> None:
    told: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            told.append("clean")

    async def quick() -> None:
        told.append("done")

    async def broken() -> None:
        raise BrokerAway("away")

    assert asyncio.run(unless(lambda: False, quick())) is True
    assert asyncio.run(unless(lambda: True, work())) is False
    assert told == ["done", "clean"]
    with pytest.raises(BrokerAway):
        asyncio.run(unless(lambda: False, broken()))
