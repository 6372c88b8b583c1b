"""How soon a list follows its listen, beside two kafka-python loops that only copy, under the same load.

For each rate: the system, then the relay, on the same broker, one after the other, with nothing else to do. Both are
timed from the broker's acknowledgement to the moment when the answer can be read.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path
from sys import executable

import msgspec
import numpy as np
from msgspec import Struct

from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS, RECOMMENDATIONS
from services.bench.system import System, user
from services.bench.traffic import Answers, CopyAnswers, ListAnswers, Load, Message, Traffic
from services.local.process import Child
from services.runtime.kafka_clients import admin

HOPS = ("bench-in", "bench-between", "bench-out")
READY_S = 120.0
WARM_S, WARM_RATE = 2.0, 20.0  # behind LEAD_S, as every load
LEAD_S = 3.0  # of each load, before what counts: whoever begins to send connects, and that is seen for two seconds

Told = Callable[[str], None]


class FreshnessOptions(Struct, frozen=True):
    """See `segue bench freshness --help`."""

    rates: tuple[float, ...] = (10, 50, 200, 1_000, 2_000)
    seconds: float = 30.0
    tracks: int = 100_000
    profiles: int = 100_000
    known: int = 50
    seed: int = 7
    partitions: int = LISTENS.partitions


class Freshness(Struct, frozen=True):
    """One rate. Milliseconds; waiting: events without an answer, half-way and as the last went out.

    `events` and what is timed are without those of LEAD_S; what was sent a second, waits or is unanswered is of all.
    """

    events: int
    sent_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    waiting_half: int
    waiting_end: int
    unanswered: int
    load_late_ms: float
    relay_p50_ms: float
    relay_p95_ms: float
    relay_p99_ms: float
    relay_max_ms: float
    relay_unanswered: int
    ratio_p50: float


def measure(options: FreshnessOptions, told: Told) -> dict[str, Freshness]:
    """Rate -> what was measured. Raises Fatal, Transient or LocalError naming what did not work."""
    with System(options.partitions) as system:
        told(f"making {options.tracks:,} tracks and {options.profiles:,} profiles")
        rng = np.random.default_rng(options.seed)
        tracks = system.announce(options.tracks, options.profiles, options.known, rng)
        return asyncio.run(_run(system, options, listens(tracks, options.profiles, rng), told))


def listens(tracks: list[str], listeners: int, rng: np.random.Generator) -> Iterator[Message]:
    """Plays of anybody, of popular tracks mostly, for ever."""
    for number in count():
        who, track = user(int(rng.integers(listeners))), tracks[min(int(rng.pareto(0.8)), len(tracks) - 1)]
        event = Listen(f"bench-{number}", who, track, time.time_ns() // 1_000_000, artist="Band 1")
        yield number, who, encode(event)


async def _run(
    system: System, options: FreshnessOptions, messages: Iterator[Message], told: Told
) -> dict[str, Freshness]:
    relays = _relays(system)
    services = [system.start("profiler"), system.start("scorer")]
    try:
        for service in services:
            await service.ready(READY_S)
        ours, theirs = (LISTENS.name, RECOMMENDATIONS.name), (HOPS[0], HOPS[-1])
        told("warming up")
        for places, answers in ((ours, ListAnswers()), (theirs, CopyAnswers())):
            await _load(system, places, messages, (WARM_RATE, WARM_S), answers)
        found = {}
        for rate in options.rates:
            told(f"{rate:g} listens/s")
            lists, copies = ListAnswers(), CopyAnswers()
            load = await _load(system, ours, messages, (rate, options.seconds), lists)
            other = await _load(system, theirs, messages, (rate, options.seconds), copies)
            for service in services:
                service.check()
            found[f"{rate:g}"] = _result(load, lists, other, copies)
        return found
    finally:
        for relay in relays:
            relay.terminate()


async def _load(
    system: System, places: tuple[str, str], messages: Iterator[Message], pace: tuple[float, float], answers: Answers
) -> Load:
    """A load at a pace: events a second, seconds that count."""
    async with Traffic(system.kafka, *places) as traffic:
        return await traffic.run(messages, *pace, answers, LEAD_S)


def _relays(system: System) -> list[Child]:
    """Two processes that copy; their topics have as many partitions as the listeners' own."""
    with admin(system.kafka) as client:
        client.create_topics({name: {"num_partitions": system.partitions, "replication_factor": 1} for name in HOPS})
    return [_relay(system, source, target) for source, target in pairwise(HOPS)]


def _relay(system: System, source: str, target: str) -> Child:
    folder: Path = system.folder
    environment = {**os.environ, **system.servers}
    command = [executable, "-m", "services.bench.relay", source, target]
    return Child(command, log=folder / f"{source}.log", cwd=folder, env=environment, remove=folder)


def _result(load: Load, lists: ListAnswers, other: Load, copies: CopyAnswers) -> Freshness:
    ours, theirs = _percentiles(lists.seconds), _percentiles(copies.seconds)
    return Freshness(
        load.counted, round(load.sent / load.seconds, 1), *ours, load.waiting_half, load.waiting_end, load.unanswered,
        round(load.late_s * 1000, 1), *theirs, other.unanswered, round(ours[0] / theirs[0], 2) if theirs[0] else 0.0,
    )  # fmt: skip


def _percentiles(seconds: list[float]) -> tuple[float, float, float, float]:
    """p50, p95, p99 and the longest of those that count, in ms; zeros when none was answered."""
    counted = np.array(seconds)[np.isfinite(seconds)]
    if not len(counted):
        return (0.0, 0.0, 0.0, 0.0)
    p50, p95, p99, longest = np.percentile(counted * 1000, (50, 95, 99, 100)).round(2).tolist()
    return (p50, p95, p99, longest)


def as_json(found: dict[str, Freshness]) -> bytes:
    """{"50": {"p50_ms": …, …}, …}."""
    return msgspec.json.encode(found)
