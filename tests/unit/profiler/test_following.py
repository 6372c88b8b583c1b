"""Whether what is read follows on what is folded: gaps are looked up, another log is refused."""

import asyncio
from time import monotonic

import pytest

from services.profiler.errors import SkippedError
from services.profiler.following import AWAY_S
from services.profiler.ports import Record
from services.runtime.errors import Fatal
from tests.unit.profiler.worlds import LOG, World, folded


def test_listens_that_the_log_no_longer_holds_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:20])
    assert "not in the log" not in caplog.text
    world.run(LOG[35:])
    assert "15 offsets, 20 to 34, are not in the log" in caplog.text
    assert (world.counted("gone_offsets_total"), world.counted("empty_offsets_total")) == (15, 0)
    assert world.store.data == folded(LOG[:20] + LOG[35:])


def test_a_gap_within_a_batch_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:20] + LOG[25:30])
    assert "5 offsets, 20 to 24, are not in the log" in caplog.text
    assert world.store.data == folded(LOG[:20] + LOG[25:30])


def test_marks_of_transactions_are_no_listens_that_are_gone(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    left = LOG[:20] + LOG[21:30] + LOG[32:]
    world.log.held = [r.offset for r in left]
    world.run(left[:25], left[25:])
    assert (world.counted("gone_offsets_total"), world.counted("empty_offsets_total")) == (0, 3)
    assert "not in the log" not in caplog.text
    assert world.store.data == folded(left)


def test_of_a_gap_only_what_is_before_the_log_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:20])
    world.log.held = [28, *(r.offset for r in LOG[30:])]
    world.run([LOG[28], *LOG[30:]])
    assert (world.counted("gone_offsets_total"), world.counted("empty_offsets_total")) == (8, 1)
    assert "8 offsets, 20 to 27, are not in the log" in caplog.text


def looked(world: World, end: int, *, resting: bool = True) -> float | None:
    """The lag after a look ahead."""
    asyncio.run(world.profiler.look_ahead(0, end, resting=resting))
    return world.counted("lag_records", partition="0")


def test_marks_at_the_end_of_the_log_wait_for_nobody() -> None:
    world = World()
    world.log.held = [r.offset for r in LOG[:20]]
    world.run(LOG[:20])
    assert looked(world, 22) == 2  # it may be about to come
    assert looked(world, 22, resting=False) == 2
    assert world.log.asked == 0
    assert [looked(world, 22) for _ in range(3)] == [0, 0, 0]
    assert world.log.asked == 1
    world.log.held.append(22)
    assert [looked(world, 23) for _ in range(3)] == [3, 3, 3]
    world.run([LOG[22]])
    assert looked(world, 23) == 0


def test_while_the_broker_is_away_marks_are_taken_for_listens() -> None:
    world = World()
    world.log.held = [r.offset for r in LOG[:20]]
    world.run(LOG[:20])
    world.log.away = True
    assert [looked(world, 21) for _ in range(2)] == [1, 1]
    assert world.counted("retries_total", error="BrokerAway") == 1  # which is also a heartbeat
    asked = world.log.asked
    assert looked(world, 21) == 1
    assert world.log.asked == asked  # of a broker that is away each question takes seconds: not again at once
    world.log.away = False
    world.profiler._waiting._clock = lambda: monotonic() + AWAY_S
    assert looked(world, 21) == 0


def test_nothing_is_told_of_a_partition_that_was_given_away() -> None:
    world = World()
    world.run(LOG[:20])
    world.profiler.forget()
    assert looked(world, 22) is None


@pytest.mark.parametrize("batches", [[LOG[:20], LOG[35:]], [LOG[:20] + LOG[35:]], [LOG[35:]]])
def test_listens_that_its_consumer_left_out_are_read_again(batches: list[list[Record]]) -> None:
    world = World()
    world.log.held = [r.offset for r in LOG]
    with pytest.raises(SkippedError, match=r"the log holds offset (20|0), its consumer went on at 35"):
        world.run(*batches)
    world.run(LOG)  # from the cursor, or before it
    assert world.store.data == folded(LOG)


def test_profiles_ahead_of_the_log_are_refused() -> None:
    world = World()
    world.run(LOG[:30])
    world.log.held = list(range(30))
    asyncio.run(world.profiler.assign([0]))  # as far as the log goes, and not further
    world.log.held = list(range(29))
    with pytest.raises(
        Fatal, match=r"partition 0 of listens ends at offset 29, .* folded up to 29: the topic was made anew"
    ):
        asyncio.run(world.profiler.assign([0]))
