"""How a message comes from faust's consumer to the agent: at once where there is room, else as faust has it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import Consumer as AiokafkaConsumer
from faust.types import TP

from services.profiler.errors import SkippedError
from services.profiler.faust_loop import AT_ONCE, FaustLoop, _ByPartition, _Consumer


def handed_over(
    monkeypatch: pytest.MonkeyPatch, *, room: bool = True, flowing: bool = True, active: bool = True
) -> str:
    """Who hands a message over: "ours", or "faust" with its tasks."""

    async def faust(_: Any, delivery: Any, stopping: Any) -> str:
        delivery.close()
        stopping.close()
        return "faust"

    async def go() -> str:
        monkeypatch.setattr(AiokafkaConsumer, "wait_first", faust)
        arrived: asyncio.Queue[str] = asyncio.Queue(1)
        if not room:
            arrived.put_nowait("one")
        consumer: Any = _Consumer.__new__(_Consumer)
        flow = SimpleNamespace(is_active=lambda: active)
        consumer.app = SimpleNamespace(segue_arrived=arrived, flow_control=flow)
        consumer.flow_active = flowing
        answer = await consumer.wait_first(arrived.put("message"), asyncio.Event().wait())
        if answer == "faust":
            return "faust"
        assert arrived.get_nowait() == "message"
        assert not answer.stopped
        return "ours"

    return asyncio.run(asyncio.wait_for(go(), 5))


def test_where_there_is_room_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert handed_over(monkeypatch) == "ours"


@pytest.mark.parametrize(
    "stopped", [{"room": False}, {"flowing": False}, {"active": False}], ids=lambda each: next(iter(each))
)
def test_what_may_have_to_wait_is_left_to_faust(monkeypatch: pytest.MonkeyPatch, stopped: dict[str, bool]) -> None:
    assert handed_over(monkeypatch, **stopped) == "faust"


def test_partition_comes_after_partition_and_nothing_is_left_out() -> None:
    one, two = TP("listens", 1), TP("listens", 2)
    given = {one: [10, 11, 12], two: [5, 6]}
    assert list(_ByPartition().iterate(given)) == [(one, 10), (one, 11), (one, 12), (two, 5), (two, 6)]


def applied(placed: int, *, now: int = 2, read: int = 2) -> list[int]:
    """The partitions whose messages are applied: read in one generation, in another now, up to `placed` taken over."""
    found: list[int] = []

    async def apply(partition: int, records: list[Any]) -> None:
        found.append(partition)

    loop: Any = FaustLoop.__new__(FaustLoop)
    loop._app = SimpleNamespace(consumer_generation_id=now, segue_placed=placed)
    loop._profiler = SimpleNamespace(apply=apply)
    message = SimpleNamespace(generation_id=read, offset=5, key=b"ann", value=b"{}", timestamp=1.0, partition=4)
    asyncio.run(loop._apply([SimpleNamespace(message=message)]))
    return found


def test_a_message_counts_once_its_partitions_are_taken_over() -> None:
    # faust resumes partitions before it seeks; such a message ended the profiler, and it comes again after the seek.
    assert applied(placed=-1) == applied(placed=1) == []
    assert applied(placed=2) == [4]


def test_a_message_of_an_older_generation_is_left_to_the_next() -> None:
    assert applied(placed=2, read=1) == applied(placed=2, now=3) == []


def test_what_comes_while_the_consumer_seeks_counts_already(monkeypatch: pytest.MonkeyPatch) -> None:
    async def committed(_: Any) -> dict[TP, int]:
        return {}

    async def assign(partitions: Any) -> dict[int, int]:
        return dict.fromkeys(partitions, 7)

    sought: list[tuple[int, dict[TP, int]]] = []

    async def seek_wait(offsets: dict[TP, int]) -> None:
        sought.append((consumer.app.segue_placed, offsets))

    monkeypatch.setattr(AiokafkaConsumer, "seek_to_committed", committed)
    consumer: Any = _Consumer.__new__(_Consumer)
    place = TP("listens", 4)
    consumer.assignment, consumer.seek_wait = lambda: {place}, seek_wait
    consumer.app = SimpleNamespace(
        consumer_generation_id=3, segue_placed=-1, segue_profiler=SimpleNamespace(assign=assign)
    )
    assert asyncio.run(consumer.seek_to_committed()) == {place: 7}
    assert sought == [(3, {place: 7})]  # else what is handed over between the two would come neither now nor again


def applied_by(apply: Any, partitions: list[int]) -> None:
    """A batch with a message of each partition."""
    loop: Any = FaustLoop.__new__(FaustLoop)
    loop._app = SimpleNamespace(consumer_generation_id=2, segue_placed=2)
    loop._profiler = SimpleNamespace(apply=apply)
    events = [
        SimpleNamespace(message=SimpleNamespace(
            generation_id=2, offset=5, key=b"ann", value=b"{}", timestamp=1.0, partition=partition
        )) for partition in partitions
    ]  # fmt: skip
    asyncio.run(asyncio.wait_for(loop._apply(events), 5))


def test_a_partition_does_not_wait_for_another() -> None:
    met = asyncio.Event()

    async def apply(partition: int, records: list[Any]) -> None:
        if partition == 1:
            await met.wait()
        met.set()

    applied_by(apply, [1, 2])


def test_so_many_partitions_and_no_more_are_under_way() -> None:
    under_way, most = set(), []

    async def apply(partition: int, records: list[Any]) -> None:
        under_way.add(partition)
        await asyncio.sleep(0.01)
        most.append(len(under_way))
        under_way.discard(partition)

    applied_by(apply, list(range(2 * AT_ONCE + 1)))
    assert len(most) == 2 * AT_ONCE + 1
    assert max(most) == AT_ONCE


def test_what_breaks_one_partition_is_told_as_it_is_and_ends_the_others() -> None:
    ended: list[int] = []

    async def apply(partition: int, records: list[Any]) -> None:
        if partition == 2:
            raise SkippedError("listens are gone")
        await asyncio.sleep(0.5)
        ended.append(partition)

    with pytest.raises(SkippedError, match="gone"):
        applied_by(apply, [1, 2, 3])
    assert ended == []


def test_a_partition_that_is_cancelled_on_its_own_is_not_taken_for_applied() -> None:
    async def apply(partition: int, records: list[Any]) -> None:
        if partition == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        applied_by(apply, [1, 2, 3])
