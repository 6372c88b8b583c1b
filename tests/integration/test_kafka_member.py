"""A member of a group over librdkafka: what it holds back through a rebalance, and how it leaves a silent broker."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from services.local.stack import LocalStack
from services.runtime.group import Record
from services.runtime.kafka_clients import admin
from services.runtime.kafka_member import CLOSE_S, LEAVE_S, KafkaMember
from services.runtime.kafka_sender import KafkaSender, Message
from services.runtime.settings import KafkaSettings

PARTITIONS = 4


class Topic:
    """A topic of its own, and members of a group that reads it."""

    def __init__(self, stack: LocalStack) -> None:
        self.name = f"read-{uuid4().hex[:8]}"
        self.settings = KafkaSettings(bootstrap=stack.bootstrap)
        with admin(self.settings) as client:
            client.create_topics({self.name: {"num_partitions": PARTITIONS, "replication_factor": 1}})

    def member(self, commit_ms: int = 10) -> KafkaMember:
        return KafkaMember(self.settings, self.name, self.name, "test", 100, commit_ms, time.monotonic)

    def send(self, *words: str) -> None:
        """Each to every partition."""
        sender = KafkaSender(self.settings, "test", lambda: None, threading.Event())
        sender.send(self.name, [Message(word.encode(), b"k", at) for at in range(PARTITIONS) for word in words])
        sender.close()


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(redis=False) as stack:
        yield stack


@pytest.fixture
def topic(stack: LocalStack) -> Topic:
    return Topic(stack)


def until(done: Callable[[], bool], turn: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        turn()


def read(member: KafkaMember, count: int, seconds: float = 20.0) -> list[Record]:
    found: list[Record] = []
    until(lambda: len(found) >= count, lambda: found.extend(member.poll(0.1)), seconds)
    member.done(found)
    return found


def test_it_reads_all_in_their_order_and_goes_on_where_it_left(topic: Topic) -> None:
    topic.send("a", "b", "c")
    one = topic.member()
    found = read(one, 3 * PARTITIONS)
    assert one.taken_over() == one.owned() == set(range(PARTITIONS))
    assert one.taken_over() == set()
    for partition in range(PARTITIONS):
        mine = [(each.offset, each.value, each.key) for each in found if each.partition == partition]
        assert mine == [(0, b"a", b"k"), (1, b"b", b"k"), (2, b"c", b"k")]
    assert one.lags() == dict.fromkeys(range(PARTITIONS), 0)
    one.close()
    topic.send("d")
    two = topic.member()
    assert {(each.partition, each.value) for each in read(two, PARTITIONS)} == {(at, b"d") for at in range(PARTITIONS)}
    two.close()


def test_what_left_while_it_was_held_is_read_when_it_is_back(topic: Topic) -> None:
    one = topic.member()
    until(lambda: len(one.owned()) == PARTITIONS, lambda: one.hold(0.05))
    two = topic.member()
    until(lambda: len(one.owned()) == len(two.owned()) == PARTITIONS / 2, lambda: (one.hold(0.05), two.poll(0.05)))
    two.close()
    until(lambda: len(one.owned()) == PARTITIONS, lambda: one.poll(0.05))
    topic.send("a")
    assert {each.partition for each in read(one, PARTITIONS)} == set(range(PARTITIONS))
    one.close()


def test_what_is_under_way_is_ended_before_another_has_the_partitions(topic: Topic) -> None:
    one = topic.member()
    until(lambda: len(one.owned()) == PARTITIONS, lambda: one.poll(0.05))
    held: list[tuple[int, int]] = []

    def ending() -> None:
        time.sleep(0.5)
        held.append((len(one.owned()), len(two.owned())))

    one.leaving = ending
    two = topic.member()
    beside = threading.Thread(target=until, args=(lambda: len(two.owned()) == PARTITIONS / 2, lambda: two.poll(0.05)))
    beside.start()
    until(lambda: len(one.owned()) == PARTITIONS / 2, lambda: one.poll(0.05))
    beside.join()
    assert held == [(PARTITIONS, 0)]
    one.close()
    assert len(held) == 1  # a member that is closed is asked no more
    two.close()


def test_a_silent_broker_is_left_at_once(stack: LocalStack, topic: Topic) -> None:
    topic.send("a")
    member = topic.member(commit_ms=60_000)
    read(member, PARTITIONS)
    stack.kafka.pause()
    try:
        begun = time.monotonic()
        member.close()
        assert time.monotonic() - begun < CLOSE_S + LEAVE_S + 0.5
    finally:
        stack.kafka.resume()
