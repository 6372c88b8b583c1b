"""The examples of docs/events.md run as they stand, but for the broker's address."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition

from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from services.local.stack import LocalStack
from services.runtime.kafka_clients import consumer, producer
from services.runtime.settings import KafkaSettings
from services.runtime.topics import apply

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    """A broker of its own with the topics of the map."""
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(stack.bootstrap)
        apply(settings)
        yield settings


def run(name: str, kafka: KafkaSettings) -> None:
    found = re.search(rf"<!-- run: {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    assert "127.0.0.1:9092" in found[1]
    exec(compile(found[1].replace("127.0.0.1:9092", kafka.bootstrap), name, "exec"), {})  # noqa: S102  # our page


def test_what_the_example_producer_sends_is_a_listen(kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> None:
    run("producer", kafka)
    partition, offset = map(int, re.findall(r"\d+", capsys.readouterr().out))
    reader = consumer(kafka)
    try:
        place = TopicPartition("listens", partition)
        reader.assign([place])
        reader.seek(place, offset)
        (record,) = reader.poll(timeout_ms=10_000)[place]
    finally:
        reader.close()
    listen = decode(Listen, record.value)
    assert (record.key.decode(), listen.kind, listen.ms_played) == (listen.user_id, "play", 187_000)


def test_the_example_consumer_prints_a_list(kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> None:
    item = Item("track-7", 1.0, "You love An Artist", "history")
    made = Recommendations("list-1", "listener-1", 3, 41, "r-1", 1_009, 1_000, 1_004, [item])
    sender = producer(kafka)
    try:
        sender.send("recommendations", key=b"listener-1", value=encode(made), partition=3).get(timeout=10)
    finally:
        sender.close()
    run("consumer", kafka)
    assert capsys.readouterr().out == "listener-1 5 ms\n    track-7 You love An Artist\n"
