"""Batches under way at once: of different partitions only, and none while the log is read again."""

import asyncio
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from schemas.topics import LISTENS
from services.profiler import bulk_loop
from services.profiler.bulk_loop import AT_ONCE, BulkLoop, _cut
from services.profiler.errors import ReadAgainError
from services.profiler.metrics import Metrics
from services.profiler.ports import Record
from services.profiler.settings import ProfilerOptions, ProfilerSettings
from services.runtime.errors import Fatal
from services.runtime.http import Health

PARTITIONS = [TopicPartition(LISTENS.name, number) for number in range(3)]
BATCH, ALL = 10, 100


class Consumer:
    """What the loop asks of aiokafka's: a log of ALL records a partition."""

    def __init__(self, **_: Any) -> None:
        self.positions = dict.fromkeys(PARTITIONS, 0)

    def subscribe(self, topics: list[str], listener: Any) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def commit(self, offsets: Any) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return set(PARTITIONS)

    def highwater(self, _: TopicPartition) -> int:
        return ALL

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp] = offset

    async def getmany(self, *wanted: TopicPartition, timeout_ms: int = 0, max_records: int) -> dict[Any, Any]:
        for tp in wanted or PARTITIONS:
            begin = self.positions[tp]
            self.positions[tp] = end = min(ALL, begin + max_records)
            if end > begin:
                return {tp: [SimpleNamespace(offset=n, key=b"", value=b"", timestamp=0) for n in range(begin, end)]}
        await asyncio.sleep(min(timeout_ms, 1) / 1000)
        return {}


class Profiler:
    """Counts; each batch waits for a while, as for Redis. `fails` says what a batch ends with, by its partition, its
    offset, and how often the log was read again.
    """

    def __init__(self, fails: Callable[[int, int, int], Exception | None]) -> None:
        self.fails = fails
        self.done = dict.fromkeys(range(len(PARTITIONS)), 0)
        self.running: list[int] = []
        self.gone = set[int]()  # being given out anew
        self.goes_at: tuple[int, int] | None = None
        self.most = self.assigned = 0
        self.looked: dict[int, bool] = {}  # partition -> whether at rest, last

    async def assign(self, partitions: Iterable[int]) -> dict[int, int]:
        assert not self.running
        self.assigned += 1
        return {partition: self.done[partition] for partition in partitions}

    def folded(self, partition: int) -> int | None:
        return None if partition in self.gone else self.done[partition] - 1

    async def rest(self) -> None:
        assert not self.running

    async def look_ahead(self, partition: int, end: int, *, resting: bool) -> None:
        assert end == ALL
        assert not (resting and self.running)
        self.looked[partition] = resting

    async def apply(self, partition: int, records: list[Record]) -> None:
        assert partition not in self.running
        assert records[0].offset == self.done[partition]
        self.running.append(partition)
        self.most = max(self.most, len(self.running))
        try:
            await asyncio.sleep((0.002, 0.005, 0.009)[partition])
            if error := self.fails(partition, records[0].offset, self.assigned):
                raise error
            self.done[partition] = records[-1].offset + 1
            if (partition, self.done[partition]) == self.goes_at:
                self.gone.add(partition)
        finally:
            self.running.remove(partition)


def run(
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[int, int, int], Exception | None],
    goes_at: tuple[int, int] | None = None,
) -> Profiler:
    monkeypatch.setattr(bulk_loop, "AIOKafkaConsumer", Consumer)
    profiler = Profiler(fails)
    profiler.goes_at = goes_at
    settings = ProfilerSettings(profiler=ProfilerOptions(max_bulk_batch=BATCH, stop_when_idle_s=0.3))

    async def go() -> None:
        metrics = Metrics(CollectorRegistry(), Health("x", clock=lambda: 0.0))
        await BulkLoop(profiler, settings, metrics).run(asyncio.Event())  # type: ignore[arg-type]  # see Profiler

    asyncio.run(asyncio.wait_for(go(), 10))
    return profiler


def test_partitions_wait_together_and_each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    profiler = run(monkeypatch, lambda *_: None)
    assert set(profiler.done.values()) == {ALL}
    assert profiler.most == AT_ONCE
    assert profiler.looked == dict.fromkeys(range(len(PARTITIONS)), True)


def test_the_log_is_read_again_when_nothing_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    failed: list[int] = []

    def fails(partition: int, offset: int, assigned: int) -> Exception | None:
        """One batch at a time, and the next only when the log was read again: two at once are one reading."""
        asked.append((partition, offset))
        if assigned != len(failed) or len(failed) == 3 or len(asked) < 6 * (assigned + 1):
            return None
        failed.append(partition)
        return ReadAgainError("behind")

    profiler = run(monkeypatch, fails)
    assert set(profiler.done.values()) == {ALL}
    assert (profiler.assigned, len(failed)) == (3, 3)


def test_what_ends_a_batch_ends_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="spent"):
        run(monkeypatch, lambda partition, offset, _: Fatal("spent") if (partition, offset) == (1, 20) else None)


def of(listeners: str) -> list[Any]:
    return [SimpleNamespace(offset=at, key=key.encode()) for at, key in enumerate(listeners)]


@pytest.mark.parametrize(
    ("listeners", "cut"),
    [
        ("", [""]), ("ab", ["ab"]), ("abcd", ["ab", "cd"]), ("aabbcca", ["aabb", "cca"]), ("aaaaaab", ["aaaaaab"]),
        ("abcabc", ["ab", "ca", "bc"]),
    ],
)  # fmt: skip
def test_a_batch_is_cut_where_it_has_too_many_listeners(listeners: str, cut: list[str]) -> None:
    found = list(_cut(of(listeners), 2))
    assert ["".join(each.key.decode() for each in some) for some in found] == cut
    assert [each.offset for some in found for each in some] == list(range(len(listeners)))


def test_the_rest_of_a_cut_batch_waits_for_its_partition_to_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_loop, "_cut", lambda records, _: iter([records[:3], records[3:]]))
    profiler = run(monkeypatch, lambda *_: None, goes_at=(1, 23))
    assert profiler.done == {0: ALL, 1: 23, 2: ALL}
