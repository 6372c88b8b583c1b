"""The examples of docs/how-to.md run as they stand, but for the broker's address, as programs of their own."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition

from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from services.local.jars import KAFKA, kafka_jars
from services.local.redis_server import RedisServer
from services.local.stack import LocalStack
from services.runtime.kafka_clients import consumer, producer
from services.runtime.settings import KafkaSettings
from services.runtime.topics import apply

PAGE = (Path(__file__).parents[2] / "docs" / "how-to.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- run: (.+?) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
PRODUCERS = {"kafka-python producer": "play", "confluent-kafka producer": "love", "java Produce": "skip"}
CONSUMERS = ("kafka-python consumer", "confluent-kafka consumer", "java Consume")
APP = ("kafka-python cache", "kafka-python asking")
LIMIT_S = 120  # seconds an example may take on a busy machine


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    """A broker of its own with the topics of the map, and one list on the partition that Kafka's own hash gives."""
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(stack.bootstrap)
        apply(settings)
        sender = producer(settings)
        made = Recommendations("list-1", "listener-1", 3, 41, "r-1", 1_009, 1_000, 1_004, [
            Item("track-7", 1.0, "You love An Artist", "history"), Item("track-8", 0.5, "Popular now", "popular"),
        ])  # fmt: skip
        sender.send("recommendations", key=b"listener-1", value=encode(made)).get(timeout=20)
        sender.close()
        yield settings


def run(name: str, kafka: KafkaSettings, folder: Path) -> str:
    """What the example prints."""
    assert EXAMPLES[name].count("127.0.0.1:9092") == 1
    text = EXAMPLES[name].replace("127.0.0.1:9092", kafka.bootstrap)
    language, _, title = name.partition(" ")
    command = java(title, text, folder) if language == "java" else python(language, text, folder)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=folder, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def python(client: str, text: str, folder: Path) -> list[str]:
    module = {"kafka-python": "kafka", "confluent-kafka": "confluent_kafka"}[client]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{client} is not installed: it is in the dependency group dev")
    (folder / "example.py").write_text(text, encoding="utf-8")
    return [sys.executable, "-W", "ignore", str(folder / "example.py")]


def java(title: str, text: str, folder: Path) -> list[str]:
    """Compile it against the jars that the embedded broker runs on."""
    if shutil.which("javac") is None:
        pytest.skip("no javac: the Java that comes with segue[local] runs programs and compiles none")
    (folder / f"{title}.java").write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(folder), *map(str, kafka_jars())])
    subprocess.run(["javac", "-cp", path, "-Werror", f"{title}.java"], cwd=folder, check=True, timeout=LIMIT_S)
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    return ["java", "-XX:TieredStopAtLevel=1", quiet, "-cp", path, title]


def test_the_page_has_them_all() -> None:
    assert set(EXAMPLES) == {*PRODUCERS, *CONSUMERS, *APP}
    names = {path.name for path in kafka_jars()}
    for coordinate in re.findall(r"`[\w.]+:([\w-]+:[\d.]+)`", PAGE):
        assert coordinate.replace(":", "-") + ".jar" in names, "the page names another version than the one tested"
    assert KAFKA.rsplit(":", 1)[1] in PAGE


@pytest.mark.parametrize("name", PRODUCERS)
def test_what_a_producer_sends_is_a_listen_on_its_listeners_partition(
    name: str, kafka: KafkaSettings, tmp_path: Path
) -> None:
    partition, offset = map(int, re.findall(r"\d+", run(name, kafka, tmp_path)))
    reader = consumer(kafka)
    try:
        place = TopicPartition("listens", partition)
        reader.assign([place])
        reader.seek(place, offset)
        (record,) = reader.poll(timeout_ms=20_000)[place]
        lists = [TopicPartition("recommendations", number) for number in range(8)]
        (theirs,) = [place.partition for place, end in reader.end_offsets(lists).items() if end]
    finally:
        reader.close()
    listen = decode(Listen, record.value)
    assert (record.key.decode(), listen.user_id, listen.kind) == ("listener-1", "listener-1", PRODUCERS[name])
    assert listen.source == name.split()[0]
    assert partition == theirs, "another partitioner than Kafka's own"


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_consumer_prints_the_list(name: str, kafka: KafkaSettings, tmp_path: Path) -> None:
    said = run(name, kafka, tmp_path).replace("'", "")
    assert said == "listener-1 list-1 [track-7, track-8]\n"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[str]:
    """A Redis of the app's own."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server.url
    server.stop()


def test_an_app_reads_the_list_from_its_cache(kafka: KafkaSettings, cache: str, tmp_path: Path) -> None:
    def program(name: str) -> list[str]:
        folder = tmp_path / name.split()[1]
        folder.mkdir()
        assert "redis://127.0.0.1:6380/0" in EXAMPLES[name]
        text = EXAMPLES[name].replace("redis://127.0.0.1:6380/0", cache).replace("127.0.0.1:9092", kafka.bootstrap)
        return python("kafka-python", text, folder)

    def ask(user: str) -> str:
        command = [*asking, user]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout

    asking, keeping = program("kafka-python asking"), subprocess.Popen(program("kafka-python cache"))
    try:
        end = time.monotonic() + LIMIT_S
        while (said := ask("listener-1")) != "['track-7', 'track-8']\n":
            assert keeping.poll() is None
            assert time.monotonic() < end, said
    finally:
        keeping.kill()
        keeping.wait()
    assert ask("a stranger") == "['track-everybody-likes']\n"
