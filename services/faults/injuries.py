"""What can be done to a running system. Each strike hurts it and returns when the cause is gone; nothing is mended."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from schemas.topics import LISTENS
from services.faults.load import Load
from services.faults.mirror import Mirror
from services.faults.points import POINTS
from services.faults.poison import handmade, mutants
from services.faults.world import Process, World
from services.runtime.kafka_clients import aio_connection
from services.runtime.keys import cursor_key

POINT_S = 20.0  # how long an armed point is waited for
PUBLISH_S = 100.0  # how long a release in the making is waited for


@dataclass
class Scene:
    """Who is there when a fault strikes."""

    world: World
    load: Load
    mirror: Mirror
    redis: Redis  # past the proxy
    rng: Random
    zombie_s: float  # how long a stopped process sleeps
    away_s: float  # how long a broker, or a Redis, is away
    spare: bool = False  # only the first of each kind may be hurt
    missed: int = 0  # kills that did not find the moment they were meant for, full Redis that refused nothing

    def victim(self, kind: str) -> Process:
        """A process of one kind to hurt."""
        there = self.world.named(kind)
        return there[0] if self.spare else self.rng.choice(there)


Strike = Callable[[Scene], Awaitable[None]]


class Fault(NamedTuple):
    """One kind. Two faults of one `on` do not strike at the same time."""

    name: str
    on: str
    strike: Strike
    about: str


def _kill(kind: str) -> Strike:
    async def strike(scene: Scene) -> None:
        scene.victim(kind).kill()

    return strike


def _kill_at(point: str) -> Strike:
    async def strike(scene: Scene) -> None:
        process = scene.victim("profiler")
        child = process.child  # if it ends just when nobody waits any longer, another is there already: not to be hurt
        child.send(POINTS[point])
        process.killed += 1
        if not await process.gone(POINT_S):  # it has no partition: the other one has them all
            scene.missed += 1
            child.kill()

    return strike


def _sleep(kind: str) -> Strike:
    async def strike(scene: Scene) -> None:
        child = scene.victim(kind).child
        await asyncio.to_thread(child.pause)
        await asyncio.sleep(scene.zombie_s)
        child.resume()

    return strike


def _roll(kind: str) -> Strike:
    async def strike(scene: Scene) -> None:
        for process in scene.world.named(kind):
            process.terminate()
            await process.gone(10)
            await asyncio.sleep(2)

    return strike


async def _kill_publishing(scene: Scene) -> None:
    """While the trainer writes a release aside."""
    releases, trainer = scene.world.folder / "releases", scene.world.named("trainer")[0]
    for _ in range(int(PUBLISH_S / 0.01)):
        if releases.is_dir() and any(path.name.startswith(".") for path in releases.iterdir()):
            break
        await asyncio.sleep(0.01)
    else:
        scene.missed += 1
    trainer.kill()


async def _redis_killed(scene: Scene) -> None:
    await scene.world.restart_redis(away_s=scene.rng.uniform(0, 2))


async def _redis_away(scene: Scene) -> None:
    await scene.world.restart_redis(away_s=scene.away_s)


async def _redis_younger(scene: Scene) -> None:
    await scene.world.restart_redis(cut=scene.rng.randrange(50_000, 500_000))


async def _redis_restored(scene: Scene) -> None:
    # As Redis' manual has it: no file may be rewritten away while they are copied.
    await scene.redis.config_set("auto-aof-rewrite-percentage", 0)
    await _no_rewrite(scene)
    snapshot = await asyncio.to_thread(scene.world.snapshot_redis)
    await scene.redis.config_set("auto-aof-rewrite-percentage", 100)
    await asyncio.sleep(scene.zombie_s)
    await scene.world.restart_redis(with_files=snapshot)


async def _redis_flushed(scene: Scene) -> None:
    await scene.redis.flushall()


async def _redis_full(scene: Scene) -> None:
    used = (await scene.redis.info("memory"))["used_memory"]
    await scene.redis.config_set("maxmemory-policy", "noeviction")
    await scene.redis.config_set("maxmemory", used // 2)  # just `used` lets writes of the same size through
    try:
        await scene.redis.set("full", "no")
        scene.missed += 1
        await scene.redis.delete("full")
    except OutOfMemoryError:
        await asyncio.sleep(5)
    await scene.redis.config_set("maxmemory", 0)


async def _redis_cut(scene: Scene) -> None:
    proxy = scene.world.proxy
    proxy.open = False
    for _ in range(10):
        proxy.drop()
        await asyncio.sleep(0.3)
    proxy.open = True


async def _redis_slow(scene: Scene) -> None:
    scene.world.proxy.delay_s = 0.3
    await asyncio.sleep(6)
    scene.world.proxy.delay_s = 0.0


async def _redis_loading(scene: Scene) -> None:
    """Started with so slow a disk that it answers LOADING for a while."""
    with suppress(ResponseError):  # under way by itself
        await scene.redis.bgrewriteaof()  # what is delayed is each key, and each write since the last rewrite
    await _no_rewrite(scene)
    await scene.world.restart_redis(load_delay_us=5_000)


async def _no_rewrite(scene: Scene) -> None:
    """Wait until Redis rewrites its append-only file no more."""
    for _ in range(200):
        await asyncio.sleep(0.05)
        if not (await scene.redis.info("persistence"))["aof_rewrite_in_progress"]:
            break


async def _kafka_killed(scene: Scene) -> None:
    await scene.world.restart_kafka(0.0)


async def _kafka_away(scene: Scene) -> None:
    await scene.world.restart_kafka(scene.away_s)


async def _bad_input(scene: Scene) -> None:
    await asyncio.gather(*scene.load.burst(handmade() + mutants(scene.rng, 500)))


async def _too_large(scene: Scene) -> None:
    sizes = (400_000, 600_000, 1_100_000, 10_000_000)
    await asyncio.gather(*scene.load.burst([(b"user-0", b'{"event_id":"' + b"x" * size + b'"}') for size in sizes]))


async def _truncated(scene: Scene) -> None:
    """Retention passes the cursors while no profiler runs."""
    world, profilers = scene.world, scene.world.named("profiler")
    world.held |= {process.name for process in profilers}
    for process in profilers:
        process.kill()
    await asyncio.sleep(3)
    ends = {number: part.end for number, part in scene.mirror.partitions.items() if part.end}
    for partition, end in ends.items():
        cursor = await scene.redis.hget(cursor_key(partition), "folded")
        world.gone += scene.mirror.partitions[partition].forget(-1 if cursor is None else int(cursor), end)
    admin = AIOKafkaAdminClient(**aio_connection(world.kafka, "segue-faults"))
    await admin.start()
    try:
        before = {TopicPartition(LISTENS.name, p): RecordsToDelete(end) for p, end in ends.items()}
        await admin.delete_records(before)
    finally:
        await admin.close()
    world.held.clear()


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("profiler_killed", "profiler", _kill("profiler"), "kill -9 whenever"),
        Fault("profiler_killed_folded", "profiler", _kill_at("folded"), "kill -9 before the Redis commit"),
        Fault("profiler_killed_committed", "profiler", _kill_at("committed"), "kill -9 between commit and notice"),
        Fault("profiler_killed_noticed", "profiler", _kill_at("noticed"), "kill -9 between notice and Kafka ack"),
        Fault("profiler_zombie", "profiler", _sleep("profiler"), "SIGSTOP, its partitions move, SIGCONT"),
        Fault("profiler_rolled", "profiler", _roll("profiler"), "rolling restart by SIGTERM"),
        Fault("scorer_killed", "scorer", _kill("scorer"), "kill -9 whenever"),
        Fault("scorer_zombie", "scorer", _sleep("scorer"), "SIGSTOP, its partitions move, SIGCONT"),
        Fault("scorer_rolled", "scorer", _roll("scorer"), "rolling restart by SIGTERM"),
        Fault("trainer_killed", "trainer", _kill_publishing, "kill -9 while a release is written"),
        Fault("redis_killed", "redis", _redis_killed, "kill -9, appendfsync everysec"),
        Fault("redis_away", "redis", _redis_away, "kill -9, away for a while"),
        Fault("redis_younger", "redis", _redis_younger, "kill -9, the end of its log is gone"),
        Fault("redis_restored", "redis", _redis_restored, "an older snapshot put back"),
        Fault("redis_flushed", "redis", _redis_flushed, "FLUSHALL"),
        Fault("redis_full", "redis", _redis_full, "maxmemory reached, noeviction"),
        Fault("redis_cut", "redis", _redis_cut, "connections cut, again and again"),
        Fault("redis_slow", "redis", _redis_slow, "each answer 0.6 s late"),
        Fault("redis_loading", "redis", _redis_loading, "LOADING for a while at its start"),
        Fault("kafka_killed", "kafka", _kafka_killed, "kill -9, started again"),
        Fault("kafka_away", "kafka", _kafka_away, "kill -9, away for a while"),
        Fault("bad_input", "input", _bad_input, "truncated, mistyped, absurd messages"),
        Fault("too_large", "input", _too_large, "values of up to 10 MB"),
        Fault("kafka_truncated", "kafka", _truncated, "retention passes the cursors"),
    )
}
SPARING = ("profiler_rolled", "scorer_rolled", "trainer_killed", "kafka_truncated")  # which end every process of a kind
LAST = "kafka_truncated"  # after it a Redis that is set back cannot be rebuilt from the log
