"""A stored profile that cannot be read is made anew from the log; nobody else notices."""

import asyncio
from typing import Any

import pytest

from services.profiler.ports import Cursor
from services.runtime.errors import Stopped
from tests.unit.profiler.fakes import listen, record
from tests.unit.profiler.worlds import LOG, World, folded, whole

LONG = [record(i, listen(i, user=f"u{i % 2}", track=f"t{i % 11}")) for i in range(2_100)]


def damaged(world: World, *users: str) -> None:
    """Flip a bit of the heads, and lose the pasts."""
    for user in users:
        head = bytearray(world.store.data[0, user])
        head[40] ^= 4
        world.store.data[0, user] = bytes(head)
        world.store.pasts.pop((0, user), None)


def test_damaged_profiles_are_made_anew_in_one_reading(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.log.records = LONG
    world.run(LONG[:1_900])
    damaged(world, "u0", "u1")
    world.run(LONG[1_900:], worker=world.worker())
    assert whole(world.store) == folded(LONG)
    assert world.log.readings == 1
    assert "partition 0: 2 stored profiles cannot be read" in caplog.text
    assert "up to offset 1899" in caplog.text
    assert "begins at" not in caplog.text


def test_who_is_not_heard_of_is_not_made_anew() -> None:
    world = World()
    world.log.records = LOG
    world.run(LOG[:30])
    damaged(world, "u0", "u1", "u2")
    broken = world.store.data[0, "u2"]
    world.run([r for r in LOG[30:] if r.key != b"u2"], worker=world.worker())
    assert world.store.data[0, "u2"] == broken
    assert {key: data for key, data in world.store.data.items() if key[1] != "u2"} == {
        key: data for key, data in folded(LOG).items() if key[1] != "u2"
    }


def test_a_damaged_profile_whose_notice_is_repeated_is_made_anew_and_announced() -> None:
    world = World()
    world.log.records = LOG
    world.run(LOG)
    damaged(world, "u1")
    world.outbox.sent.clear()
    world.run(LOG[30:], worker=world.worker())
    assert world.store.data == folded(LOG)
    assert [(notice.user_id, notice.version) for notice in world.outbox.sent] == [("u0", 57), ("u1", 58), ("u2", 59)]
    assert world.store.positions[0] == Cursor(59, -1)  # and nothing else is said to be done


def test_what_retention_has_removed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:30])
    damaged(world, "u0")
    world.log.records = LOG[10:]
    world.run(LOG[30:], worker=world.worker())
    assert "the log begins at offset 10; what the 1 listeners heard before is in no profile" in caplog.text
    assert world.store.data[0, "u0"] == folded(LOG[10:])[0, "u0"]
    assert world.store.data[0, "u1"] == folded(LOG)[0, "u1"]


def test_that_retention_has_removed_all_of_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:30])
    damaged(world, "u0")
    world.run(LOG[30:], worker=world.worker())
    assert "the log begins at offset 30 or later; what the 1 listeners heard before" in caplog.text
    assert world.store.data[0, "u0"] == folded(LOG[30:])[0, "u0"]


def test_resting_beside_a_batch_takes_no_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commit is first in the store and answered last; a profile that is damaged then is written with the newest."""
    world = World()
    world.log.records = LOG
    worker, commit = world.profiler, world.store.commit

    async def go() -> None:
        await worker.assign([0])
        await worker.apply(0, LOG[:20])
        answered = asyncio.Event()

        async def slow(*arguments: Any) -> int:
            before = await commit(*arguments)
            await answered.wait()
            return before

        monkeypatch.setattr(world.store, "commit", slow)
        resting = asyncio.create_task(worker.rest())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        monkeypatch.setattr(world.store, "commit", commit)
        await worker.apply(0, LOG[20:40])
        answered.set()
        await resting
        damaged(world, "u0")
        worker._assigned[0].profiles.clear()
        await worker.apply(0, LOG[40:])

    asyncio.run(go())
    assert world.store.data == folded(LOG)


def test_a_store_that_another_worker_has_taken_further_is_not_written_over() -> None:
    world = World()
    world.log.records = LOG
    late = world.worker()
    world.run(LOG[:30], worker=late)
    late._assigned[0].profiles.clear()  # as after many others
    world.run(LOG[30:50], worker=world.worker())
    damaged(world, "u0")
    world.run(LOG[30:], worker=late, assign=False)
    assert world.store.data == folded(LOG)


def test_it_ends_while_it_reads_when_told_to() -> None:
    world = World()
    world.log.records = LOG
    world.run(LOG[:30])
    damaged(world, "u0")
    before = dict(world.store.data)
    worker = world.worker()

    async def go() -> None:
        await worker.assign([0])
        worker._remaking._stop.set()  # as SIGTERM does
        with pytest.raises(Stopped, match="while profiles were made anew"):
            await worker.apply(0, LOG[30:])

    asyncio.run(go())
    assert world.store.data == before
