"""The topics map on a real broker: created once, configured, never repartitioned, never deleted."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaTimeoutError

from schemas.topics import LISTENS, PROFILES, TOPICS, TRACKS
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import admin, consumer, producer, wait_for_broker
from services.runtime.settings import KafkaSettings
from services.runtime.topics import Change, apply, plan


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    """A broker of its own: the names of the topics are given, and here they are deleted and changed.

    It would make any topic that a client asks for, as Kafka does unless told otherwise.
    """
    with LocalStack(redis=False, kafka_properties={"auto.create.topics.enable": "true"}) as stack:
        yield KafkaSettings(stack.bootstrap)


@pytest.fixture
def empty(kafka: KafkaSettings) -> KafkaSettings:
    """The broker without a topic of the map."""
    names = {topic.name for topic in TOPICS}
    with admin(kafka) as client:
        there = [name for name in client.list_topics() if name in names]
        if there:
            client.delete_topics(there)
        until = time.monotonic() + 20
        while names & set(client.list_topics()):
            assert time.monotonic() < until, "the topics are still there"
            time.sleep(0.1)
    return kafka


@pytest.fixture
def applied(empty: KafkaSettings) -> KafkaSettings:
    """The broker with every topic."""
    apply(empty)
    return empty


def actions(changes: tuple[Change, ...]) -> set[str]:
    return {change.action for change in changes}


def set_config(kafka: KafkaSettings, topic: str, config: dict[str, str]) -> None:
    with admin(kafka) as client:
        assert client.alter_configs([ConfigResource("TOPIC", topic, config)])["topic"][topic] == "OK"
        until = time.monotonic() + 20
        while not config.items() <= in_force(client, topic).items():
            assert time.monotonic() < until, "the new settings are not in force"
            time.sleep(0.05)


def in_force(client: KafkaAdminClient, topic: str) -> dict[str, str]:
    """A topic's settings, defaults included."""
    found = client.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic]
    return {name: entry["value"] for name, entry in found.items()}


def test_a_plan_changes_nothing(empty: KafkaSettings) -> None:
    assert actions(plan(empty)) == {"create"}
    assert actions(plan(empty)) == {"create"}


def test_the_topics_are_as_the_map_says(applied: KafkaSettings) -> None:
    with admin(applied) as client:
        found = {t["name"]: len(t["partitions"]) for t in client.describe_topics()}
        for topic in TOPICS:
            assert found[topic.name] == topic.partitions
            assert topic.settings().items() <= in_force(client, topic.name).items()


def test_a_second_run_does_nothing(applied: KafkaSettings) -> None:
    assert actions(apply(applied)) == {"keep"}


def test_what_was_turned_by_hand_is_turned_back_and_nothing_else(applied: KafkaSettings) -> None:
    set_config(applied, PROFILES.name, {"retention.ms": "5000", "segment.bytes": "2097152"})
    changed = [change for change in apply(applied) if change.action != "keep"]
    assert changed == [
        Change("profiles", "configure", PROFILES.partitions, {"retention.ms": "86400000"}, {"retention.ms": "5000"})
    ]
    assert actions(plan(applied)) == {"keep"}
    with admin(applied) as client:
        assert in_force(client, PROFILES.name)["segment.bytes"] == "2097152"


def test_a_topic_with_another_count_stops_everything(empty: KafkaSettings) -> None:
    with admin(empty) as client:
        client.create_topics({LISTENS.name: {"num_partitions": 3, "replication_factor": 1}})
        client.wait_for_topics([LISTENS.name])
        for run in (plan, apply):
            with pytest.raises(Fatal, match="topic listens has 3 partitions, 8 are wanted"):
                run(empty)
        assert TRACKS.name not in client.list_topics()
    # With the count it has, it is taken as it is.
    counts = {"listens": 3, "profiles": 3, "recommendations": 3}
    done = {change.topic: change for change in apply(empty, counts)}
    assert (done["listens"].action, done["profiles"].action) == ("configure", "create")
    assert actions(apply(empty, counts)) == {"keep"}


def test_more_copies_than_brokers_are_refused(empty: KafkaSettings) -> None:
    with pytest.raises(Fatal, match="only 1 broker"):
        apply(empty, replication=3)


def test_topics_that_somebody_else_creates_meanwhile_are_taken_as_they_are(
    applied: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looks = topics._existing, list[None]()

    def too_early(client: KafkaAdminClient) -> dict[str, topics.Existing]:
        looks.append(None)
        return look(client) if len(looks) > 1 else {}

    monkeypatch.setattr(topics, "_existing", too_early)
    assert actions(apply(applied)) == {"create"}
    assert len(looks) > 1


def test_two_who_apply_at_once_both_succeed(empty: KafkaSettings) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: apply(empty), range(2)))
    assert len(done) == 2
    assert actions(plan(empty)) == {"keep"}


def test_a_broker_that_is_there_is_waited_for_no_longer_than_needed(kafka: KafkaSettings) -> None:
    started = time.monotonic()
    wait_for_broker(kafka, 30)
    assert time.monotonic() - started < 3


def test_a_message_goes_through_the_clients(applied: KafkaSettings) -> None:
    sender = producer(applied)
    reader = consumer(applied, TRACKS.name, group="test-topics-clients")
    try:
        sent = sender.send(TRACKS.name, key=b"k", value=b"v").get(timeout=10)
        until, found = time.monotonic() + 20, list[Any]()
        while not found and time.monotonic() < until:
            found = [record for records in reader.poll(timeout_ms=500).values() for record in records]
        assert [(r.partition, r.offset, r.key, r.value) for r in found] == [(sent.partition, sent.offset, b"k", b"v")]
        assert reader.committed(next(iter(reader.assignment()))) is None  # committing is the caller's
    finally:
        reader.close()
        sender.close()


def test_a_topic_that_is_not_there_is_not_made_by_asking_for_it(empty: KafkaSettings) -> None:
    sender = producer(empty, max_block_ms=500)
    reader = consumer(empty, PROFILES.name)
    try:
        with pytest.raises(KafkaTimeoutError):
            sender.send(TRACKS.name, value=b"v").get(timeout=5)
        reader.poll(timeout_ms=500)
    finally:
        reader.close()
        sender.close()
    with admin(empty) as client:
        assert {TRACKS.name, PROFILES.name}.isdisjoint(client.list_topics())


def test_a_broker_away_is_said_by_plan_and_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "BOOTSTRAP_MS", 300)
    for run in (plan, apply):
        with pytest.raises(BrokerAway, match=r"no broker answers at 127\.0\.0\.1:1 "):
            run(KafkaSettings("127.0.0.1:1"))
