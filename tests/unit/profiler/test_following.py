"""Whether what is read follows on what is folded: gaps are looked up, another log is refused."""

import asyncio

import pytest

from services.profiler.errors import SkippedError
from services.profiler.ports import Record
from services.runtime.errors import Fatal
from tests.unit.profiler.worlds import LOG, World, folded


def test_listens_that_the_log_no_longer_holds_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:20])
    assert "not in the log" not in caplog.text
    world.run(LOG[35:])
    assert "15 offsets, 20 to 34, are not in the log" in caplog.text
    assert world.store.data == folded(LOG[:20] + LOG[35:])


def test_a_gap_within_a_batch_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.run(LOG[:20] + LOG[25:30])
    assert "5 offsets, 20 to 24, are not in the log" in caplog.text
    assert world.store.data == folded(LOG[:20] + LOG[25:30])


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
