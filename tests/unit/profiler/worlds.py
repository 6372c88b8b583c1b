"""Profilers over ports in memory, one log for them, and what folding it gives."""

import asyncio
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from models.profile import SEGMENT, Profile
from models.taste import TasteSettings, fold
from schemas.codec import decode
from schemas.events import Listen
from services.profiler.app import Profiler
from services.profiler.metrics import Metrics
from services.profiler.ports import Record
from services.runtime.http import Health
from tests.unit.profiler.fakes import MemoryLog, MemoryOutbox, MemoryProfiles, listen, record

TASTE = TasteSettings(max_tracks=8, max_artists=4, max_recent=5, max_past=2 * SEGMENT, max_event_ids=6)


class World:
    def __init__(self) -> None:
        self.store, self.outbox, self.log = MemoryProfiles(), MemoryOutbox(), MemoryLog()
        self.profiler = self.worker()

    def worker(self, cache: int = 3) -> Profiler:
        self.registry = CollectorRegistry()  # of the newest one
        metrics = Metrics(self.registry, Health("x", clock=lambda: 0.0))
        return Profiler(self.store, self.outbox, self.log, TASTE, metrics, cache, asyncio.Event())

    def run(self, *batches: Sequence[Record], worker: Profiler | None = None, assign: bool = True) -> None:
        async def go() -> None:
            profiler = worker or self.profiler
            if assign:
                await profiler.assign([0])
            for batch in batches:
                await profiler.apply(0, batch)

        asyncio.run(go())

    def counted(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"segue_profiler_{name}", labels)


def folded(records: Sequence[Record]) -> dict[tuple[int, str], bytes]:
    """What folding the log once, in order, gives."""
    profiles: dict[tuple[int, str], Profile] = {}
    for r in records:
        event = decode(Listen, r.value)
        fold(profiles.setdefault((0, event.user_id), Profile()), event, r.offset, TASTE)
    return {key: profile.encode() for key, profile in profiles.items()}


def whole(store: MemoryProfiles) -> dict[tuple[int, str], bytes]:
    return {key: head + store.pasts.get(key, b"") for key, head in store.data.items()}


LOG = [record(i, listen(i, user=f"u{i % 3}", track=f"t{i % 11}")) for i in range(60)]
