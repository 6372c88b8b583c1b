"""Listens a second that one profiler folds, beside loops that read the same log and do nothing with it.

Each loop is a process of its own on the same log, from its beginning, one after the other. Counted from the first
listens that are through to the last, so that neither a start nor a join of the group is in it.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from sys import executable

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from models import interactions
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from services.bench.system import System, user
from services.local.process import Child
from services.runtime.bulk_producer import BulkProducer, partition_of
from services.runtime.errors import Fatal
from services.runtime.keys import cursor_key
from services.runtime.redis_client import sync_redis

LOOPS = ("bare_faust", "faust", "bare_aiokafka", "bulk")
REFERENCES = {"faust": "bare_faust", "bulk": "bare_aiokafka"}
ARTISTS = 2_500
LOOK_S = 0.05
LIMIT_S = 1_200.0
SENT_AT_ONCE = 50_000

Told = Callable[[str], None]


class ProfilerBench(Struct, frozen=True):
    """See `segue bench profiler --help`."""

    listens: int = 500_000
    listeners: int = 2_000
    only: tuple[str, ...] = ()
    seed: int = 7
    partitions: int = LISTENS.partitions
    tracks: int = 20_000


class Rate(Struct, frozen=True):
    """One loop."""

    listens_per_second: float
    listens: int  # counted: without those that were through when it was first looked at
    seconds: float
    ratio: float | None = None  # ours / the loop that does nothing, where both ran


def measure(options: ProfilerBench, told: Told, log: pl.DataFrame | None = None) -> dict[str, Rate]:
    """Loop -> its rate. `log`: listens as models.interactions.COLUMNS instead of made-up ones.

    Raises Fatal naming an unknown loop, or one that did not come to the end.
    """
    if unknown := set(options.only) - set(LOOPS):
        raise Fatal(f"unknown loop {', '.join(sorted(unknown))}; there are {', '.join(LOOPS)}")
    with System(options.partitions) as system:
        if log is None:
            told(f"sending {options.listens:,} listens of {options.listeners:,} listeners")
            asyncio.run(_fill(system, options, _listens(options)))
        else:
            options = replace(options, listens=log.height)
            told(f"sending {options.listens:,} listens of the log")
            asyncio.run(_fill(system, options, _of_log(log)))
        found = {}
        for name in LOOPS:
            if name in (options.only or LOOPS):
                told(f"{name} ...")
                found[name] = _bare(system, name, options) if name.startswith("bare") else _ours(system, name, options)
    for name, bare in REFERENCES.items():
        if name in found and bare in found:
            ratio = found[name].listens_per_second / found[bare].listens_per_second
            found[name] = replace(found[name], ratio=round(ratio, 3))
    return found


async def _fill(system: System, options: ProfilerBench, events: Iterator[tuple[bytes, bytes]]) -> None:
    async with BulkProducer(system.kafka, LISTENS.name) as sender:
        while chunk := list(islice(events, SENT_AT_ONCE)):
            parts: dict[int, list[tuple[bytes, bytes]]] = {}
            for key, value in chunk:
                parts.setdefault(partition_of(key, options.partitions), []).append((key, value))
            for partition, mine in parts.items():
                await sender.send(partition, [key for key, _ in mine], [value for _, value in mine])


def _listens(options: ProfilerBench) -> Iterator[tuple[bytes, bytes]]:
    """Everybody's plays over the last 90 days, popular tracks mostly, oldest first."""
    rng = np.random.default_rng(options.seed)
    who = rng.integers(options.listeners, size=options.listens)
    what = np.minimum(rng.pareto(0.8, size=options.listens), options.tracks - 1).astype(int)
    now = time.time_ns() // 1_000_000
    at = np.linspace(now - 90 * 86_400_000, now, options.listens).astype(int)
    for number, (listener, track, when) in enumerate(zip(who.tolist(), what.tolist(), at.tolist(), strict=True)):
        name = user(listener)
        event = Listen(f"e{number}", name, f"track-{track}", when, artist=f"artist-{track % ARTISTS}")
        yield name.encode(), encode(event)


def _of_log(log: pl.DataFrame) -> Iterator[tuple[bytes, bytes]]:
    """A log's listens in their order."""
    for fields in log.select(list(interactions.COLUMNS)).iter_rows():
        event = Listen(*fields)
        yield event.user_id.encode(), encode(event)


def _ours(system: System, loop: str, options: ProfilerBench) -> Rate:
    """A profiler on an empty Redis, watched by its cursors."""
    with sync_redis(system.redis) as redis:
        redis.flushdb()

        def folded() -> int:
            answers = [redis.hget(cursor_key(partition), "folded") for partition in range(options.partitions)]
            return sum(int(answer) + 1 for answer in answers if answer is not None)

        service = system.start(
            "profiler", {"SEGUE_PROFILER_LOOP": loop, "SEGUE_PROFILER_GROUP": f"bench-{loop}-{time.time_ns()}"}
        )
        try:
            return _rate(*_watched(folded, options.listens, service.check))
        finally:
            service.stop()


def _bare(system: System, name: str, options: ProfilerBench) -> Rate:
    """A loop that only counts; it writes how far it is into a file."""
    count, log = system.folder / f"{name}.count", system.folder / f"{name}.log"
    count.write_text("0 0 0", encoding="ascii")
    child = Child(
        [executable, "-m", "services.bench.bare", name, count],
        log=log, cwd=system.folder, env={**os.environ, **system.servers}, remove=system.folder,
    )  # fmt: skip

    def check() -> None:
        if child.poll() is not None:
            raise Fatal(f"{name} ended by itself; the end of its log:\n{child.tail()}")

    try:
        _watched(lambda: int(count.read_text(encoding="ascii").split()[0]), options.listens, check)
        seen, first, seconds = map(float, count.read_text(encoding="ascii").split())
        return _rate(int(seen - first), seconds)
    finally:
        child.terminate()
        if child.wait(10) is None:
            child.kill()


def _watched(done: Callable[[], int], whole: int, check: Callable[[], None]) -> tuple[int, float]:
    """How many came from the first look that shows something to the first that shows all, and in what time."""
    limit = time.perf_counter() + LIMIT_S
    first: tuple[float, int] | None = None
    while True:
        now, count = time.perf_counter(), done()
        if first is None and count:
            first = now, count
        if count >= whole and first is not None:
            return whole - first[1], now - first[0]
        check()
        if now > limit:
            raise Fatal(f"only {count:,} of {whole:,} listens are through after {LIMIT_S:.0f} s")
        time.sleep(LOOK_S)


def _rate(listens: int, seconds: float) -> Rate:
    """Raises Fatal where all were through at the first look."""
    if not listens:
        raise Fatal("all listens were through before there was a clock to stop: send more of them (--listens)")
    return Rate(round(listens / seconds, 1), listens, round(seconds, 3))
