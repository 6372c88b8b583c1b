"""The profiler's core: exactly-once effect in front of a store that fails, rewinds and is shared with zombies."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.profile import BadProfile, Profile, past_bytes
from schemas.events import Listen
from services.profiler.errors import RewoundError
from services.profiler.ports import Cursor, Record
from tests.unit.profiler.fakes import T0, MemoryOutbox, listen, record
from tests.unit.profiler.worlds import LOG, TASTE, World, folded, whole


def test_a_past_is_stored_a_segment_at_a_time_and_once() -> None:
    log = [record(i, listen(i, user=f"u{i % 2}", track=f"t{i % 11}")) for i in range(2_100)]
    world = World()
    world.run(log[:600], log[600:1_000])
    world.store.lost_answers = 1
    world.run(log[1_000:1_400], assign=False)
    world.run(log[1_200:1_500], log[1_500:2_099], worker=world.worker())  # some of it again, by another worker
    world.run(log[2_099:], assign=False, worker=world.profiler)  # and by one that was believed dead
    assert whole(world.store) == folded(log)
    assert {len(past) for past in world.store.pasts.values()} == {past_bytes(TASTE.max_past)}


def test_a_past_without_its_profile_is_not_gone_on_with() -> None:
    log = [record(i, listen(i, user="u0", track=f"t{i % 11}")) for i in range(400)]
    world = World()
    world.run(log)
    world.store.data.clear()
    world.store.positions.clear()  # somebody deleted profiles and cursors, and forgot the pasts
    world.run(log[:200], worker=world.worker())
    assert whole(world.store) == folded(log[:200])  # before there is a segment
    world.run(log[200:300], log[300:], worker=world.worker())
    assert whole(world.store) == folded(log)


def test_profiles_equal_the_fold_of_the_log_and_notices_name_their_version() -> None:
    world = World()
    world.run(LOG[:20], LOG[20:21], LOG[21:])
    assert world.store.data == folded(LOG)
    assert world.store.positions[0].folded == 59
    newest = {notice.user_id: notice.version for notice in world.outbox.sent}
    assert newest == {"u0": 57, "u1": 58, "u2": 59}


def test_a_repeated_batch_changes_nothing_but_repeats_its_notices() -> None:
    world = World()
    world.run(LOG, LOG[30:])
    assert world.store.data == folded(LOG)
    assert [n.version for n in world.outbox.sent[3:]] == [57, 58, 59]


def test_a_crash_between_commit_and_notice_is_made_up_for() -> None:
    world = World()
    world.run(LOG[:30])
    world.outbox.sent.clear()

    async def crash() -> None:
        await world.profiler.assign([0])
        world.outbox.notices = None  # type: ignore[assignment]  # the process dies here
        with pytest.raises(TypeError):
            await world.profiler.apply(0, LOG[30:])

    asyncio.run(crash())
    world.outbox = MemoryOutbox()
    again = world.worker()

    async def restart() -> int:
        return (await again.assign([0]))[0]

    start = asyncio.run(restart())
    assert start == 0  # nothing says yet that the first batch's notices went out: they are repeated, not lost
    world.run([r for r in LOG if r.offset >= start], worker=again)
    assert world.store.data == folded(LOG)
    assert {n.user_id for n in world.outbox.sent} == {"u0", "u1", "u2"}


def test_a_commit_whose_answer_got_lost_is_not_folded_twice() -> None:
    world = World()
    world.store.lost_answers = 1
    world.run(LOG)
    assert world.store.data == folded(LOG)
    assert world.store.commits == 1


def test_waits_while_redis_and_the_broker_are_away() -> None:
    world = World()
    world.store.failures = 3
    world.outbox.failures = 2
    world.run(LOG)
    assert world.store.data == folded(LOG)
    assert len(world.outbox.sent) == 3


def test_a_zombie_is_fenced_and_catches_up() -> None:
    world = World()
    zombie = world.profiler
    world.run(LOG[:10], worker=zombie)
    world.run(LOG[10:40], worker=world.worker())
    world.run(LOG[10:25], LOG[25:45], worker=zombie, assign=False)
    assert world.store.data == folded(LOG[:45])


def test_a_rewound_store_is_noticed() -> None:
    world = World()
    world.run(LOG[:10])
    old_data, old_positions = dict(world.store.data), dict(world.store.positions)
    world.run(LOG[10:20], assign=False)
    world.store.data, world.store.positions = old_data, old_positions
    with pytest.raises(RewoundError, match=r"partition 0.*at offset 9, 19"):
        world.run(LOG[20:30], assign=False)
    world.run(LOG[10:30])
    assert world.store.data == folded(LOG[:30])


def test_an_emptied_store_is_rebuilt_from_the_log() -> None:
    world = World()
    world.run(LOG[:30])
    world.store.data.clear()
    world.store.positions.clear()
    with pytest.raises(RewoundError):
        world.run(LOG[30:], assign=False)
    world.run(LOG)
    assert world.store.data == folded(LOG)


def test_bad_messages_go_to_the_dead_letters_and_the_cursor_moves_on() -> None:
    world = World()
    good = listen(1)
    world.run(_bad(good))
    causes = [letter.cause for letter, _ in world.outbox.letters]
    assert causes == ["bad-json", "bad-schema", "bad-key", "bad-key", "too-early", "future", "empty", "too-large"]
    assert "$.track_id" in world.outbox.letters[1][0].message
    assert world.store.positions[0].folded == 8
    assert world.outbox.letters[0][1].value == b"{nonsense"
    assert len(world.store.data) == 1


def _bad(good: Listen) -> list[Record]:
    return [
        record(0, good, value=b"{nonsense"),
        record(1, good, value=b'{"event_id":"x","user_id":"ann","track_id":7,"listened_at":1}'),
        record(2, good, key=b"somebody else"),
        record(3, good, key=None),
        record(4, good, value=b'{"event_id":"x","user_id":"ann","track_id":"t","listened_at":1}'),
        record(5, good, timestamp=T0 - 90_000_000),
        record(6, good, value=None),
        record(7, good, value=b" " * 600_000),
        record(8, good),
    ]


def test_a_batch_of_nothing_but_bad_messages_still_moves_the_cursor() -> None:
    world = World()
    world.run(_bad(listen(1))[:4])
    assert world.store.positions[0] == Cursor(3, -1)
    assert world.store.data == {}


def test_a_producers_repeat_is_not_counted_again() -> None:
    world = World()
    world.run([record(0, listen(1)), record(1, listen(1)), record(2, listen(2))])
    profile = Profile.decode(world.store.data[0, "ann"])
    assert profile.plays == 2


@given(cuts=st.lists(st.integers(1, 59), max_size=8), cache=st.integers(1, 5), back=st.integers(0, 20))
def test_any_batching_restart_and_overlap_gives_the_same_bytes(cuts: list[int], cache: int, back: int) -> None:
    world = World()
    edges = sorted({0, *cuts, 60})
    for first, last in pairwise(edges):
        worker = world.worker(cache)
        world.run(LOG[max(0, first - back) : last], worker=worker)
    assert world.store.data == folded(LOG)


def test_at_rest_it_is_stored_how_far_notices_went_so_a_successor_repeats_none() -> None:
    world = World()
    world.run(LOG[:30], LOG[30:])
    assert world.store.positions[0] == Cursor(59, 29)
    asyncio.run(world.profiler.rest())
    assert world.store.positions[0] == Cursor(59, 59)
    assert asyncio.run(world.worker().assign([0])) == {0: 60}


def test_rest_never_moves_the_cursor_of_another_worker() -> None:
    world = World()
    world.run(LOG[:30])
    other = world.worker()
    world.run(LOG[30:], worker=other)
    asyncio.run(world.profiler.rest())
    assert world.store.positions[0].folded == 59
    assert world.store.data == folded(LOG)


@pytest.mark.parametrize("repeated", [False, True])
def test_an_upgrade_over_profiles_of_another_format_says_what_to_do_and_then_rebuilds_them(repeated: bool) -> None:
    world = World()
    world.run(LOG[:20])
    world.store.data = {key: b"SGP2" + bytes(100) for key in world.store.data}  # an older version wrote these
    before = dict(world.store.data)
    with pytest.raises(BadProfile, match=r"format SGP2, which another version of Segue wrote.* rebuil[dt]"):
        world.run(LOG if repeated else LOG[20:])
    assert (world.store.data, world.store.positions[0].folded) == (before, 19)  # nothing is folded on top
    world.store.data.clear()
    world.store.pasts.clear()
    world.store.positions.clear()
    world.run(LOG)
    assert world.store.data == folded(LOG)


def test_at_rest_it_notices_a_store_that_fell_behind() -> None:
    world = World()
    world.run(LOG[:30])
    asyncio.run(world.profiler.rest())
    world.store.data.clear()
    world.store.positions.clear()
    with pytest.raises(RewoundError, match="profiles are at offset -1, 29 was committed"):
        asyncio.run(world.profiler.rest())


def test_a_worker_that_loses_its_partitions_in_the_midst_of_a_batch_ends_it() -> None:
    world = World()

    async def go() -> None:
        await world.profiler.assign([0])
        commit = world.store.commit

        async def losing(*arguments: object) -> int:
            world.profiler.forget()
            return await commit(*arguments)  # type: ignore[arg-type]  # passed on as they come

        world.store.commit = losing  # type: ignore[assignment,method-assign]
        await world.profiler.apply(0, LOG)

    asyncio.run(go())
    assert world.store.data == folded(LOG)
