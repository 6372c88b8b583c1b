"""Profiles on a Redis Cluster: every service finds its part, and a node that is killed and comes back costs nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from models.profile import Profile
from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENER_PARTITIONS, LISTENS, RECOMMENDATIONS, RELEASES
from services.audit.app import Audit, audit
from services.audit.redis_stored import RedisStored
from services.audit.settings import AuditOptions, AuditSettings
from services.cli.stream import stored_profile
from services.local.redis_server import RedisServer
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.bulk_producer import partition_of
from services.runtime.errors import Fatal
from services.runtime.redis_client import sync_redis
from services.runtime.settings import KafkaSettings, RedisSettings
from tests.integration.scorers import until
from tests.unit.scorer.worlds import checkerboard_parts, frame, write_release

USERS = 40
SLOTS = 16_384


class Nodes:
    """Three nodes of one cluster, each with a third of the slots; the second may have a replica."""

    def __init__(self, folder: Path, closing: ExitStack, *, replica: bool) -> None:
        self.servers = []
        for name in ("a", "b", "c", "replica")[: 3 + replica]:
            (folder / name).mkdir()
            options = {"cluster-enabled": "yes", "cluster-node-timeout": "1000"}
            self.servers.append(RedisServer(folder / name, options=options))
            self.servers[-1].start()
            closing.callback(self.servers[-1].stop)
        self.clients = [closing.enter_context(Redis.from_url(server.url)) for server in self.servers]
        for at, client in enumerate(self.clients):
            ask: Callable[..., object] = client.execute_command
            if at < 3:
                ask("CLUSTER", "ADDSLOTS", *range(at * SLOTS // 3, (at + 1) * SLOTS // 3))
            ask("CLUSTER", "SET-CONFIG-EPOCH", at + 1)
            ask("CLUSTER", "MEET", "127.0.0.1", self.servers[0].port)
        until(self.whole, "the nodes to be one cluster")
        if replica:
            ask("CLUSTER", "REPLICATE", cast(bytes, self.clients[1].cluster("MYID")))
            until(lambda: client.info("replication").get("master_link_status") == "up", "the replica")
        self.settings = RedisSettings(self.servers[0].url, cluster=True)

    def whole(self) -> bool:
        """Whether every node that is there knows of all slots."""
        told = [
            client.cluster("INFO") for client, server in zip(self.clients, self.servers, strict=True) if server.alive
        ]
        return all(cast("dict[str, str]", each)["cluster_state"] == "ok" for each in told)


class World:
    """A broker, a cluster, a release, and services that come and go."""

    def __init__(self, folder: Path, closing: ExitStack, *, replica: bool) -> None:
        self.nodes = Nodes(folder, closing, replica=replica)
        self.stack = closing.enter_context(LocalStack(redis=False))
        self.kafka = KafkaSettings(bootstrap=self.stack.bootstrap)
        topics.apply(self.kafka)
        self.producer = kafka_clients.producer(self.kafka)
        closing.callback(self.producer.close)
        self.numbers, self.workers = count(), list[subprocess.Popen[bytes]]()
        titles, factors, als = checkerboard_parts()
        sha256 = write_release(folder / "release-1", frame(titles), factors, als)
        announced = ReleaseAnnounced("release-1", (folder / "release-1").as_uri(), sha256, 0)
        self.producer.send(RELEASES.name, encode(announced), b"current").get(10)

    def start(self, service: str, **more: str) -> None:
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.nodes.settings.url,
            "SEGUE_REDIS_CLUSTER": "true", f"SEGUE_{service.upper()}_METRICS_PORT": "0", **more,
        }  # fmt: skip
        self.workers.append(subprocess.Popen([sys.executable, "-m", f"services.{service}"], env=environment))

    def stop(self) -> list[int]:
        """End all services; their exit codes."""
        for worker in self.workers:
            worker.terminate()
        codes = [worker.wait(20) for worker in self.workers]
        self.workers.clear()
        return codes

    def listen(self, n: int) -> None:
        now = int(time.time() * 1000)
        for k in (next(self.numbers) for _ in range(n)):
            event = Listen(f"e{k}", f"u{k % USERS}", f"t{k % 20}", now + k)
            self.producer.send(LISTENS.name, encode(event), event.user_id.encode())
        self.producer.flush()

    def audit(self) -> Audit:
        return audit(AuditSettings(self.kafka, self.nodes.settings), AuditOptions())

    def audited(self, events: int) -> None:
        """Wait until so many events are folded and every profile equals its log."""

        def clean() -> bool:
            found = self.audit()
            total = found.total
            return found.clean and (total.events, total.equal, total.behind) == (events, USERS, 0)

        until(clean, "a clean audit")

    def answered(self) -> set[str]:
        """Whose newest list is of their newest listen."""
        partitions = [TopicPartition(RECOMMENDATIONS.name, at) for at in range(LISTENER_PARTITIONS)]
        reader = KafkaConsumer(**kafka_clients.connection(self.kafka), auto_offset_reset="earliest")
        try:
            reader.assign(partitions)
            ends, newest = reader.end_offsets(partitions), dict[str, int]()
            while any(reader.position(at) < end for at, end in ends.items()):
                for records in reader.poll(timeout_ms=200).values():
                    for made in (decode(Recommendations, record.value) for record in records):
                        newest[made.user_id] = made.profile_version
        finally:
            reader.close()
        with RedisStored(self.nodes.settings) as stored:
            return {user for user, version in newest.items() if version == self.version(stored, user)}

    @staticmethod
    def version(stored: RedisStored, user: str) -> int:
        [data] = stored.snapshot(partition_of(user.encode(), LISTENER_PARTITIONS), [user]).profiles
        assert data is not None
        return Profile.decode(data).version


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as closing:
        made = World(tmp_path, closing, replica=getattr(request, "param", False))
        closing.callback(made.stop)
        yield made


@pytest.mark.parametrize("loop", ["faust", "bulk"])
@pytest.mark.parametrize("world", [False, True], ids=["comes back", "replaced"], indirect=True)
def test_a_cluster_serves_all_and_loses_a_node(world: World, loop: str) -> None:
    """Its replica takes its place for good, or there is none and it comes back after a while."""
    replaced = len(world.nodes.servers) > 3
    world.start("profiler", SEGUE_PROFILER_LOOP=loop)
    world.start("scorer", SEGUE_SCORER_PROBE_S="0.3")
    world.listen(400)
    world.audited(400)
    assert stored_profile(world.kafka, world.nodes.settings, "u0")[1] is not None  # as the command line asks
    assert all(int(client.dbsize()) > 0 for client in world.nodes.clients)  # everybody has a part
    until(lambda: len(world.answered()) == USERS, "everybody's list")

    lost = world.nodes.servers[1]
    lost.kill()  # what it had not yet told or written is gone: the profiler reads that again
    world.start("profiler", SEGUE_PROFILER_LOOP=loop)  # asks for cursors meanwhile, and so does the first one
    world.listen(200)
    time.sleep(3.0)
    assert [worker.poll() for worker in world.workers] == [None] * 3
    if not replaced:
        lost.start()
    until(world.nodes.whole, "the cluster to be whole")
    world.audited(600)
    until(lambda: len(world.answered()) == USERS, "everybody's list")
    assert world.stop() == [0] * 3


def test_what_is_said_of_the_server_must_be_true(world: World) -> None:
    as_if_alone = RedisSettings(world.nodes.settings.url)
    with RedisStored(as_if_alone) as stored, pytest.raises(Fatal, match="SEGUE_REDIS_CLUSTER=true"):
        [stored.cursor(partition) for partition in range(LISTENS.partitions)]
    with LocalStack(kafka=False) as alone, pytest.raises(Fatal, match="SEGUE_REDIS_CLUSTER=false"):
        sync_redis(RedisSettings(alone.redis_url, cluster=True))
