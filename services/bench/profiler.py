"""Listens a second that one profiler folds, beside loops that read the same log and do nothing with it.

Each loop is a process of its own on the same log, from its beginning, one after the other. Counted from the first
listens that are through to the last, so that neither a start nor a join of the group is in it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from models import interactions
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from services.bench.rates import Rate, bare_rate, beside, rate_of, watched
from services.bench.system import System, user
from services.runtime.errors import Fatal
from services.runtime.keys import cursor_key
from services.runtime.redis_client import sync_redis

LOOPS = ("bare_faust", "faust", "bare_aiokafka", "bulk")
REFERENCES = {"faust": "bare_faust", "bulk": "bare_aiokafka"}
ARTISTS = 2_500

Told = Callable[[str], None]


class ProfilerBench(Struct, frozen=True):
    """See `segue bench profiler --help`."""

    listens: int = 500_000
    listeners: int = 2_000
    only: tuple[str, ...] = ()
    seed: int = 7
    partitions: int = LISTENS.partitions
    tracks: int = 20_000


def measure(options: ProfilerBench, told: Told, log: pl.DataFrame | None = None) -> dict[str, Rate]:
    """Loop -> its rate. `log`: listens as models.interactions.COLUMNS instead of made-up ones.

    Raises Fatal naming an unknown loop, or one that did not come to the end.
    """
    if unknown := set(options.only) - set(LOOPS):
        raise Fatal(f"unknown loop {', '.join(sorted(unknown))}; there are {', '.join(LOOPS)}")
    with System(options.partitions) as system:
        if log is None:
            told(f"sending {options.listens:,} listens of {options.listeners:,} listeners")
            asyncio.run(system.send(LISTENS.name, _listens(options)))
        else:
            options = replace(options, listens=log.height)
            told(f"sending {options.listens:,} listens of the log")
            asyncio.run(system.send(LISTENS.name, _of_log(log)))
        found = {}
        for name in LOOPS:
            if name in (options.only or LOOPS):
                told(f"{name} ...")
                found[name] = (
                    bare_rate(system, name, options.listens, [LISTENS.name])
                    if name.startswith("bare") else _ours(system, name, options)
                )  # fmt: skip
    for name, reference in REFERENCES.items():
        if name in found and reference in found:
            found[name] = beside(found[name], found[reference])
    return found


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
            return rate_of(*watched(folded, options.listens, service.check))
        finally:
            service.stop()
