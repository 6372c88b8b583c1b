"""How a message comes from faust's consumer to the agent: at once where there is room, else as faust has it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import Consumer as AiokafkaConsumer
from faust.types import TP

from services.profiler.faust_loop import _ByPartition, _Consumer


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
