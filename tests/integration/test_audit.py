"""The audit on real Kafka and Redis: clean after a clean run, and every damage under its right name."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest
from kafka import KafkaProducer
from redis import Redis

from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from services.audit.app import audit
from services.audit.result import Audit
from services.audit.settings import AuditOptions, AuditSettings
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.bulk_producer import partition_of
from services.runtime.keys import cursor_key, profile_key
from services.runtime.settings import KafkaSettings, RedisSettings

USERS = 12
WAIT = AuditOptions(wait_s=20, grace_s=0.5)


class World:
    """One broker and one Redis, filled once by a real profiler; a test may damage Redis, it is mended after it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.settings = AuditSettings(KafkaSettings(bootstrap=stack.bootstrap), RedisSettings(url=stack.redis_url))
        topics.apply(self.settings.kafka)
        self.redis = Redis.from_url(stack.redis_url)
        self.producer: KafkaProducer = kafka_clients.producer(self.settings.kafka)
        self.numbers = count()

    def listen(self, n: int) -> None:
        now = int(time.time() * 1000)
        events = [
            Listen(f"e{k}", f"u{k % USERS}", f"t{k % 37}", now + k, "love" if k % 50 == 49 else "play", f"a{k % 7}")
            for k in (next(self.numbers) for _ in range(n))
        ]
        for future in [self.send(encode(event), event.user_id.encode()) for event in events]:
            future.get(30)

    def send(self, value: bytes | None, key: bytes) -> "kafka_clients.Any":
        return self.producer.send(LISTENS.name, value, key=key)

    def profiler(self, **more: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.stack.redis_url,
            "SEGUE_PROFILER_LOOP": "bulk", "SEGUE_PROFILER_METRICS_PORT": "0", **more,
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "services.profiler"], env=environment)

    def fold_all(self) -> None:
        assert self.profiler(SEGUE_PROFILER_STOP_WHEN_IDLE_S="1").wait(30) == 0

    def audit(self, **options: object) -> Audit:
        return audit(self.settings, AuditOptions(**options))  # type: ignore[arg-type]  # a test's shorthand

    def key(self, user: str) -> str:
        return profile_key(self.partition(user), user)

    def partition(self, user: str) -> int:
        return partition_of(user.encode(), LISTENS.partitions)

    def profile(self, user: str) -> Profile:
        return Profile.decode(bytes(self.redis.get(self.key(user)) or b""))


@pytest.fixture(scope="module")
def filled() -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack)
        world.listen(600)
        world.send(b"{", b"u0").get(30)
        world.send(encode(Listen("e3", "u3", "t3", int(time.time() * 1000))), b"u3").get(30)  # a producer's retry
        world.fold_all()
        yield world
        world.producer.close()
        world.redis.close()


@pytest.fixture
def world(filled: World) -> Iterator[World]:
    before = {key: filled.redis.dump(key) for key in filled.redis.scan_iter()}
    yield filled
    filled.redis.flushall()
    for key, data in before.items():
        filled.redis.restore(key, 0, data)


def test_what_a_profiler_left_is_clean(world: World) -> None:
    found = world.audit()
    assert found.clean, found.examples
    total = found.total
    assert (total.events, total.admitted, total.dead) == (602, 601, 1)
    assert (total.profiles, total.equal, total.repeats, total.behind) == (USERS, USERS, 1, 0)


def test_a_dropped_profile_is_lost(world: World) -> None:
    profile = world.profile("u1")
    world.redis.delete(world.key("u1"))
    found = world.audit()
    assert not found.clean
    assert (found.total.lost, found.total.doubled, found.total.other) == (1, 0, 0)
    assert found.total.events_lost == profile.plays + profile.skips
    assert [(e.kind, e.partition, e.user_id) for e in found.examples] == [("lost", world.partition("u1"), "")]
    assert world.audit(show_ids=True).examples[0].user_id == "u1"


@pytest.mark.parametrize("kind", ["play", "love"])
def test_an_event_folded_twice_is_doubled(world: World, kind: str) -> None:
    users = {f"u{k % USERS}": k for k in range(600) if (k % 50 == 49) == (kind == "love")}
    user, number = next(iter(users.items()))
    profile = world.profile(user)
    profile.seen.clear()  # the guard is off
    now = profile.newest * 1000
    again = Listen(f"e{number}", user, f"t{number % 37}", now, kind, f"a{number % 7}")  # type: ignore[arg-type]
    assert fold(profile, again, profile.version, TasteSettings())
    world.redis.set(world.key(user), profile.encode())
    found = world.audit()
    assert (found.total.lost, found.total.doubled, found.total.other) == (0, 1, 0), found.examples
    assert found.total.events_doubled == 1
    assert found.total.equal == USERS - 1


def test_every_flipped_byte_is_found_and_none_is_called_lost_or_doubled(world: World) -> None:
    data = bytearray(bytes(world.redis.get(world.key("u2")) or b""))
    # Of each column a byte: weight, hour, recent, event id, count, magic.
    for at in (0, 12, 30, 80, len(data) // 2, len(data) - 90, len(data) - 3):
        damaged = data.copy()
        damaged[at] ^= 0x10
        world.redis.set(world.key("u2"), bytes(damaged))
        total = world.audit(lists=False, letters=False).total
        assert (total.lost, total.doubled) == (0, 0), at
        assert total.other + total.unreadable == 1, at


def test_a_cursor_set_forward_within_the_log_shows_as_lost(world: World) -> None:
    world.listen(48)
    for partition in range(LISTENS.partitions):
        if world.redis.hget(cursor_key(partition), "folded") is not None:
            world.redis.hincrby(cursor_key(partition), "folded", 1)
    found = world.audit()
    partitions = {world.partition(f"u{k}") for k in range(USERS)}
    assert (found.total.lost, found.total.events_lost, found.total.ahead) == (len(partitions),) * 2 + (0,)
    assert found.total.behind == 48 - len(partitions)
    world.fold_all()  # goes on behind the gap
    assert world.audit().total.events_lost == len(partitions)
    world.redis.flushall()
    world.fold_all()
    assert world.audit().clean


def test_a_cursor_beyond_the_log_is_ahead(world: World) -> None:
    world.fold_all()
    world.redis.hincrby(cursor_key(world.partition("u1")), "folded", 7)
    found = world.audit()
    assert (found.total.ahead, found.total.lost, found.total.differing) == (7, 0, 0)
    assert [e.kind for e in found.examples] == ["ahead"]
    assert not found.clean


def test_a_cursor_set_back_is_told_as_what_it_leads_to(world: World) -> None:
    world.redis.hincrby(cursor_key(world.partition("u1")), "folded", -5)
    found = world.audit()
    assert found.total.other >= 1
    assert found.total.doubled == 0
    assert all("beyond the cursor" in example.says for example in found.examples)


def test_a_profile_of_nobody_is_extra(world: World) -> None:
    world.redis.set(profile_key(0, "nobody"), Profile().encode())
    world.redis.set(profile_key(77, "nobody"), Profile().encode())
    found = world.audit()
    assert found.total.extra == 2
    assert {e.partition for e in found.examples} == {0, 77}


def test_other_taste_settings_are_seen_as_other(world: World) -> None:
    settings = AuditSettings(world.settings.kafka, world.settings.redis, TasteSettings(half_life_days=1.0))
    assert audit(settings).total.other == 0  # decay within a second is nothing
    settings = AuditSettings(world.settings.kafka, world.settings.redis, TasteSettings(play=2.0))
    found = audit(settings).total
    assert (found.other, found.lost, found.doubled) == (USERS, 0, 0)


def test_under_load_nothing_that_moves_is_a_difference(world: World) -> None:
    worker = world.profiler()
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            world.listen(20)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        until, moved = time.monotonic() + 6, set()
        while time.monotonic() < until:
            found = world.audit(lists=False, letters=False)
            assert found.clean, found.examples
            assert found.total.profiles == USERS
            moved.add(tuple(partition.cursor for partition in found.partitions))
    finally:
        stop.set()
        thread.join()
    try:
        assert len(moved) > 3
        found = world.audit(wait_s=20, lists=False, letters=False)
        assert (found.clean, found.total.behind) == (True, 0)
    finally:
        worker.terminate()
        assert worker.wait(15) == 0
