"""What a listener costs: bytes in a real Redis, by how much they have played; and what each service holds.

The reference is the same listens as they are on the topic: what somebody pays who keeps events and folds nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import cast

import numpy as np
import polars as pl
from msgspec import Struct
from redis import Redis

from models import interactions
from models.evaluation.log import Log
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS, RECOMMENDATIONS
from services.bench.curve import Point, curve
from services.bench.freshness import READY_S, listens
from services.bench.system import System, user
from services.bench.traffic import ListAnswers, Traffic
from services.local.stack import LocalStack
from services.runtime.keys import past_key, profile_key
from services.runtime.redis_client import sync_redis
from services.runtime.settings import RedisSettings

SERVICES = ("profiler", "scorer", "outcomes", "trainer")
A_DAY = 20  # plays
# Made-up listeners meet new tracks as those of a real log did (docs/performance.md), who had played 17, 138 and 853
# different ones after 20, 200 and 2,000 plays: a Pitman-Yor process (1997), whose next play is of a new track with
# probability (START + NEW·tracks) / (START + plays), else it is an earlier play again.
START, NEW = 10.0, 0.79
MANY, ARTISTS = 10**9, 2_500  # that are to be had
NOON = 1_704_110_400
MILLION, GIB, MIB = 1_000_000, 2**30, 2**20
RATE = 200.0

Told = Callable[[str], None]


class MemoryBench(Struct, frozen=True):
    """See `segue bench memory --help`."""

    plays: tuple[int, ...] = (20, 200, 2_000)
    listeners: int = 200
    tracks: int = 100_000
    profiles: int = 10_000
    seconds: float = 10.0  # of load before the services are weighed; 0: they are not
    seed: int = 7
    partitions: int = LISTENS.partitions


class Bytes(Struct, frozen=True):
    """A listener's, on average. `redis_*`: by MEMORY USAGE, the key included; `used`: by which Redis grew."""

    listeners: int
    plays: float
    head: float
    past: float
    redis_head: float
    redis_past: float
    used: float
    events: float  # the reference
    ratio: float  # used / events
    gib_a_million: float


class Memory(Struct, frozen=True):
    """Plays -> bytes, `log` for the log that was given, `log_20` for the first 20 of each of its listeners' plays; RSS
    in MiB; the curve of bytes against NDCG@100.
    """

    redis: dict[str, Bytes]
    rss_mib: dict[str, float]
    curve: list[Point]


def measure(options: MemoryBench, taste: TasteSettings, log: pl.DataFrame | None, told: Told) -> Memory:
    """All of it. `log`: listens as models.interactions.COLUMNS. Raises Fatal, Transient or LocalError."""
    found: dict[str, Bytes] = {}
    # Without a file: what it buffers for one would be taken for the listeners'.
    stack = LocalStack(kafka=False, redis_options={"appendonly": "no"})
    with stack, sync_redis(RedisSettings(url=stack.redis_url)) as redis:
        for plays in options.plays:
            told(f"{options.listeners:,} listeners of {plays:,} plays")
            rng = np.random.default_rng(options.seed)
            events = (made(user(at), plays, rng) for at in range(options.listeners))
            found[str(plays)] = stored(redis, events, taste)
        if log is not None:
            for plays in options.plays:
                told(f"the first {plays:,} plays of the log's listeners")
                begun = list(by_listener(log, plays))
                if begun:
                    found[f"log_{plays}"] = stored(redis, begun, taste)
            told(f"folding {log.height:,} listens of the log")
            found["log"] = stored(redis, by_listener(log), taste)
    points = [] if log is None else curve(Log(log), told)
    return Memory(found, resident(options, told) if options.seconds else {}, points)


def made(name: str, plays: int, rng: np.random.Generator) -> list[Listen]:
    """So many plays of one made-up listener, oldest first; ids as long as those of a real log."""
    tracks: list[int] = []
    chances, places = rng.random(plays).tolist(), rng.random(plays).tolist()
    known = 0
    for at in range(plays):
        if chances[at] < (START + NEW * known) / (START + at):
            tracks.append(int(rng.integers(MANY)))
            known += 1
        else:
            tracks.append(tracks[int(places[at] * at)])
    step = 86_400_000 // A_DAY
    return [
        Listen(
            rng.bytes(16).hex(), name, f"track-{track:022}", NOON * 1000 + at * step,
            artist=f"Artist {track % ARTISTS}", ms_played=200_000 + at,
        )
        for at, track in enumerate(tracks)
    ]  # fmt: skip


def by_listener(log: pl.DataFrame, first: int = 0) -> Iterator[list[Listen]]:
    """Each listener's listens, by time; the `first` of each who has as many, 0: all of everybody's."""
    frame = interactions.distinct(log).sort("user_id", "listened_at", maintain_order=True)
    if first:
        many = frame.filter(pl.len().over("user_id") >= first)
        frame = many.group_by("user_id", maintain_order=True).head(first)
    rows = (Listen(*fields) for fields in frame.select(list(interactions.COLUMNS)).iter_rows())
    return (list(mine) for _, mine in groupby(rows, key=lambda listen: listen.user_id))


def stored(redis: Redis, listeners: Iterable[list[Listen]], taste: TasteSettings, *, weigh: bool = True) -> Bytes:
    """Fold them, put them into an emptied Redis under the names that the profiler gives them, and ask Redis.

    `weigh`: also ask for each key; else `redis_*` are 0.
    """
    redis.flushall()
    before = _used(redis)
    sums = np.zeros(6)  # plays, head, past, MEMORY USAGE of both, events
    count = 0
    for events in listeners:
        profile = Profile()
        for offset, listen in enumerate(events):
            fold(profile, listen, offset, taste)
        head, past, name = profile.head(), profile.past, events[0].user_id
        keys = {profile_key(0, name): head, **({past_key(0, name): past} if past else {})}
        redis.mset(keys)
        usage = [cast(int, redis.memory_usage(key, samples=0)) for key in keys] if weigh else [0]
        event_bytes = sum(len(encode(listen)) for listen in events)
        sums += (len(events), len(head), len(past), usage[0], sum(usage[1:]), event_bytes)
        count += 1
    grown = (_used(redis) - before) / count
    plays, head_bytes, past_bytes, in_head, in_past, kept = (sums / count).round(1).tolist()
    return Bytes(
        count, plays, head_bytes, past_bytes, in_head, in_past, round(grown, 1), kept, round(grown / kept, 3),
        round(grown * MILLION / GIB, 3),
    )  # fmt: skip


def _used(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


def resident(options: MemoryBench, told: Told) -> dict[str, float]:
    """MiB of RSS of each service after some load, the scorer with a catalogue of `tracks`."""
    with System(options.partitions) as system:
        told(f"making {options.tracks:,} tracks and {options.profiles:,} profiles")
        rng = np.random.default_rng(options.seed)
        tracks = system.announce(options.tracks, options.profiles, 50, rng)
        told("weighing the services")
        return asyncio.run(_weighed(system, options, tracks, rng))


async def _weighed(
    system: System, options: MemoryBench, tracks: list[str], rng: np.random.Generator
) -> dict[str, float]:
    services = [system.start(name) for name in SERVICES]
    for service in services:
        await service.ready(READY_S)
    async with Traffic(system.kafka, LISTENS.name, RECOMMENDATIONS.name) as traffic:
        await traffic.run(listens(tracks, options.profiles, rng), RATE, options.seconds, ListAnswers())
    return {service.name: round(service.process.memory_info().rss / MIB, 1) for service in services}
