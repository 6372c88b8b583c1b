"""The profiler as a process on real Kafka and Redis: whatever happens, the profiles are the fold of the log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from models.admission import admit
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from schemas.profile import ProfileChanged
from schemas.topics import DEAD, LISTENS, PROFILES
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.keys import cursor_key, profile_key
from services.runtime.settings import KafkaSettings

DEADLINE = 40.0


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
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.stack.redis_url,
            "SEGUE_PROFILER_LOOP": loop, "SEGUE_PROFILER_METRICS_PORT": "0", "SEGUE_KAFKA_SESSION_TIMEOUT_MS": "6000",
        }  # fmt: skip
        worker = subprocess.Popen([sys.executable, "-m", "services.profiler"], env=environment)
        self.workers.append(worker)
        return worker

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
            fold(profile, event, offset, TasteSettings())
        return {key: profile.encode() for key, profile in profiles.items()}, cursors

    def folded(self) -> dict[int, int]:
        answers = {p: self.redis.hget(cursor_key(p), "folded") for p in range(LISTENS.partitions)}
        return {partition: int(answer) for partition, answer in answers.items() if answer is not None}

    def check(self) -> None:
        """Wait until all is folded, then compare every profile byte for byte."""
        profiles, cursors = self.expected()
        wait_for(lambda: self.folded() == cursors, f"cursors {cursors}", self.folded)
        stored = {key: self.redis.get(key) for key in profiles}
        assert stored == profiles
        assert len(self.redis.keys("profile:*")) == len(profiles)


def wait_for(condition: Callable[[], bool], what: str, seen: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE:g} s for {what}, saw {seen()}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack)
        yield world
        world.stop()
        world.producer.close()
        world.redis.close()


@pytest.fixture(autouse=True)
def _no_worker_left(world: World) -> Iterator[None]:
    yield
    world.stop()


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


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_listens_become_profiles_and_notices(world: World, loop: str) -> None:
    world.start(loop)
    world.listen(300)
    world.check()
    newest: dict[str, int] = {}
    for record in read_all(world, PROFILES.name):
        notice = decode(ProfileChanged, record.value)
        assert (record.partition, record.key) == (notice.partition, notice.user_id.encode())
        newest[notice.user_id] = notice.version
    versions = {user: Profile.decode(bytes(world.redis.get(key) or b"")).version for key, user in keys_of(world)}
    assert newest == versions


def keys_of(world: World) -> list[tuple[str, str]]:
    return [(key.decode(), key.decode().partition("}:")[2]) for key in world.redis.keys("profile:*")]


def test_kill_9_under_load(world: World) -> None:
    world.start()
    for _ in range(3):
        world.listen(400)
        world.workers[-1].kill()
        world.start()
    world.listen(200)
    world.check()


def test_two_workers_share_the_partitions(world: World) -> None:
    world.start()
    world.listen(200)
    world.start()
    for _ in range(5):
        world.listen(200, users=40)
        time.sleep(0.3)
    world.workers[0].send_signal(signal.SIGTERM)
    assert world.workers[0].wait(15) == 0
    world.listen(200, users=40)
    world.check()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_an_emptied_redis_is_rebuilt(world: World, loop: str) -> None:
    world.start(loop)
    world.listen(100)
    world.check()
    for _ in range(5):  # also while batches of several partitions are under way: none may be applied over the gap
        world.redis.flushall()
        world.listen(200, users=40)
        world.check()


def test_a_redis_that_was_away(world: World) -> None:
    world.start()
    world.listen(100)
    world.check()
    world.stack.redis.pause()
    world.listen(300)
    time.sleep(2)
    world.stack.redis.resume()
    world.check()


def test_the_marks_of_transactions_are_no_listens_that_were_left_out(world: World) -> None:
    worker = world.start()
    sender = kafka_clients.producer(world.kafka, transactional_id="a-producer-of-listens")
    sender.init_transactions()
    for turn in range(6):
        sender.begin_transaction()
        for number in range(9):
            event = Listen(f"tx{turn}-{number}", f"u{number % 5}", f"t{number}", int(time.time() * 1000))
            sender.send(LISTENS.name, encode(event), key=event.user_id.encode())
        sender.commit_transaction()
    sender.close()
    world.listen(20)  # behind the last mark, so that the log ends with a listen
    world.check()
    assert worker.poll() is None


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_profiles_of_another_log_are_refused(world: World, loop: str, capfd: pytest.CaptureFixture[str]) -> None:
    world.redis.hset(cursor_key(3), mapping={"folded": 1_000_000, "noticed": 1_000_000})
    worker = world.start(loop)
    assert worker.wait(30) == 1
    assert "partition 3 of listens ends at offset" in capfd.readouterr().err
    world.redis.flushall()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_told_to_stop_while_the_broker_is_away_it_ends(world: World, loop: str) -> None:
    worker = world.start(loop)
    world.listen(100)
    world.check()
    world.stack.redis.pause()
    world.listen(100)
    time.sleep(1)
    world.stack.kafka.pause()
    world.stack.redis.resume()  # profiles are committed now, and their notices wait for the broker
    time.sleep(2)
    began = time.monotonic()
    worker.terminate()
    try:
        assert worker.wait(30) == 0
        took = time.monotonic() - began
    finally:
        world.stack.kafka.resume()
    assert took < 15
    world.start(loop)
    world.listen(20)
    world.check()


def test_bad_messages_become_dead_letters_that_say_why(world: World) -> None:
    worker = world.start()
    before = len(read_all(world, DEAD.name))
    for value in (b"{", b"null", b'{"event_id":"x"}', b"\xff\xfe", b'{"event_id":1,"user_id":"u0"}'):
        world.producer.send(LISTENS.name, value, key=b"u0").get(30)
    world.producer.send(LISTENS.name, None, key=b"u0").get(30)
    world.listen(10)
    world.check()
    letters = read_all(world, DEAD.name)[before:]
    assert [letter.value for letter in letters[:2]] == [b"{", b"null"]
    reasons = [DeadLetter.from_headers(letter.headers) for letter in letters]
    assert [r.cause for r in reasons] == ["bad-json", "bad-schema", "bad-schema", "bad-json", "bad-schema", "empty"]
    assert "`user_id`" in reasons[2].message
    assert "$.event_id" in reasons[4].message
    assert all(reason.topic == LISTENS.name for reason in reasons)
    assert worker.poll() is None
