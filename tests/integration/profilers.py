"""Profilers as processes on a real Kafka and a real Redis, and what folding their log gives."""

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import cast
from urllib.request import urlopen

from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from models.admission import admit
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.errors import Poison
from schemas.events import Listen
from schemas.topics import LISTENS
from services.local.ports import free_port
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.keys import cursor_key, profile_key
from services.runtime.settings import KafkaSettings

DEADLINE = 40.0

TASTE = TasteSettings(max_recent=256, max_past=12_288)


class World:
    """One broker, one Redis, and profilers that come and go."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        self.redis = Redis.from_url(stack.redis_url)
        self.producer = kafka_clients.producer(self.kafka)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.numbers = count()

    def start(self, loop: str = "faust") -> subprocess.Popen[bytes]:
        self.port = port = free_port()  # of the newest one's metrics
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.stack.redis_url,
            "SEGUE_PROFILER_LOOP": loop, "SEGUE_PROFILER_METRICS_PORT": str(port),
            "SEGUE_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "SEGUE_TASTE_MAX_RECENT": str(TASTE.max_recent), "SEGUE_TASTE_MAX_PAST": str(TASTE.max_past),
        }  # fmt: skip
        worker = subprocess.Popen([sys.executable, "-m", "services.profiler"], env=environment)
        self.workers.append(worker)
        return worker

    def metrics(self) -> str:
        """The newest worker's; nothing before it answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            return ""

    def metric(self, name: str) -> float:
        """Over all its labels; NaN before there is one."""
        found = re.findall(rf"^segue_profiler_{name}(?:\{{.*\}})? (\S+)$", self.metrics(), re.MULTILINE)
        return sum(map(float, found)) if found else math.nan

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(15)
            except subprocess.TimeoutExpired:
                worker.kill()
        self.workers.clear()

    def listen(self, n: int, users: int = 5) -> None:
        now = int(time.time() * 1000)
        sent = []
        for number in (next(self.numbers) for _ in range(n)):
            event = Listen(f"e{number}", f"u{number % users}", f"t{number % 37}", now + number, artist=f"a{number % 7}")
            sent.append(self.producer.send(LISTENS.name, encode(event), key=event.user_id.encode()))
        for future in sent:
            future.get(30)

    def log(self) -> Iterator[tuple[int, int, int, bytes | None, bytes | None]]:
        consumer = kafka_clients.consumer(self.kafka)
        partitions = [TopicPartition(LISTENS.name, p) for p in range(LISTENS.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for tp, records in consumer.poll(500).items():
                for r in records:
                    yield tp.partition, r.offset, r.timestamp, r.key, r.value
        consumer.close()

    def expected(self) -> tuple[dict[str, bytes], dict[int, int]]:
        """What folding the log once, in order, gives: profiles by Redis key, cursors by partition."""
        profiles: dict[str, Profile] = {}
        cursors: dict[int, int] = {}
        for partition, offset, appended, key, value in self.log():
            cursors[partition] = offset
            try:
                event = admit(value, key, appended)
            except Poison:
                continue
            profile = profiles.setdefault(profile_key(partition, event.user_id), Profile())
            fold(profile, event, offset, TASTE)
        return {key: profile.encode() for key, profile in profiles.items()}, cursors

    def folded(self) -> dict[int, int]:
        answers = {p: self.redis.hget(cursor_key(p), "folded") for p in range(LISTENS.partitions)}
        return {partition: int(answer) for partition, answer in answers.items() if answer is not None}

    def stored(self, key: str) -> bytes | None:
        """Head and past."""
        head, past = (cast("bytes | None", each) for each in self.redis.mget([key, past_of(key)]))
        return head and head + (past or b"")

    def check(self) -> None:
        """Wait until all is folded, then compare every profile byte for byte."""
        profiles, cursors = self.expected()
        wait_for(lambda: self.folded() == cursors, f"cursors {cursors}", self.folded)
        stored = {key: self.stored(key) for key in profiles}
        assert stored == profiles
        assert len(self.redis.keys("profile:*")) == len(profiles)


def past_of(key: str) -> str:
    """The key of a past, from that of its head."""
    return key.replace("profile:", "past:", 1)


def wait_for(condition: Callable[[], bool], what: str, seen: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE:g} s for {what}, saw {seen()}"
        time.sleep(0.05)


def read_all(world: World, topic: str) -> list[KafkaConsumer]:
    consumer = kafka_clients.consumer(world.kafka)
    partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    records = []
    while any(consumer.position(tp) < end for tp, end in ends.items()):
        records += [record for batch in consumer.poll(500).values() for record in batch]
    consumer.close()
    return records
