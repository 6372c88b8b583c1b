"""The trainer as a process, against a real broker: told to stop, killed, restarted."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models import release
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from schemas.track import Track
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.kafka_clients import producer
from services.runtime.settings import KafkaSettings
from services.trainer.history import read
from services.trainer.kafka_releases import KafkaReleases
from tests.integration.trainers import LIMIT, TrainerProcess

ONLY_READ: dict[str, Any] = {"min_listens": 10**9}
SOON: dict[str, Any] = {"flush_seconds": 0.1, "check_listeners": 50, "threads": 1}


@pytest.fixture
def kafka() -> Iterator[KafkaSettings]:
    """A broker of each test's own: what is on `listens` is the test's doing alone."""
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(settings)
        yield settings


def listen(number: int) -> Listen:
    now = int(time.time() * 1000)
    return Listen(event_id=f"e{number}", user_id=f"u{number % 40}", track_id=f"t{number % 97}", listened_at=now)


def produce(kafka: KafkaSettings, first: int, count: int, pause: float = 0.0) -> None:
    client = producer(kafka, linger_ms=5)
    for number in range(first, first + count):
        made = listen(number)
        client.send(LISTENS.name, key=made.user_id.encode(), value=encode(made))
        if pause and number % 50 == 0:
            time.sleep(pause)
    client.flush()
    client.close()


def kept(folder: Path) -> dict[int, list[int]]:
    """The offsets in the history, by partition, in the order of its segments."""
    parts = sorted((folder / "history" / "listens").iterdir())
    return {int(part.name): read(sorted(part.glob("[0-9]*.parquet")))["offset"].to_list() for part in parts}


def reached(folder: Path) -> int:
    """How many offsets the segments cover, by their names: the files may be merged away while they are looked at."""
    last: dict[str, int] = {}
    for path in (folder / "history" / "listens").glob("*/[0-9]*.parquet"):
        last[path.parent.name] = max(last.get(path.parent.name, -1), int(path.stem.partition("-")[2]))
    return sum(last.values()) + len(last)


def test_it_trains_on_count_and_announces_what_a_scorer_can_load(kafka: KafkaSettings, tmp_path: Path) -> None:
    client = producer(kafka)
    client.send("tracks", key=b"t1", value=encode(Track("t1", "One", "Somebody"))).get(10)
    client.send("tracks", key=b"silent", value=encode(Track("silent", "Silent", "Nobody"))).get(10)
    client.send(LISTENS.name, key=b"u1", value=b"poison").get(10)
    client.close()
    releases = KafkaReleases(kafka)
    with TrainerProcess(kafka, tmp_path, every_listens=300, min_listens=100, **SOON) as trainer:
        produce(kafka, 0, 200)
        trainer.until(lambda: "is in force" in trainer.log.read_text())
        first = releases.newest()
        assert first is not None
        loaded = release.load(Path(first.uri), first.sha256)
        assert (loaded.manifest.listens, loaded.manifest.tracks) == (200, 98)
        assert loaded.catalogue.titles[loaded.catalogue.track_ids.index("t1")] == "One"
        assert sum(span.last - span.first + 1 for span in loaded.manifest.window.values()) == 201  # with the poison
        produce(kafka, 200, 299)
        time.sleep(3)
        assert releases.newest() == first
        produce(kafka, 499, 1)
        trainer.until(lambda: trainer.log.read_text().count("is in force") == 2)
        second = releases.newest()
        assert second is not None
        assert second.previous == first.release_id
        assert release.load(Path(second.uri), second.sha256).manifest.listens == 500
        assert trainer.terminate() < 10
    with TrainerProcess(kafka, tmp_path, every_listens=300, min_listens=100, **SOON) as trainer:
        trainer.until(lambda: (tmp_path / "trainer.log").read_text().count("metrics at") == 2)
        time.sleep(8)  # the rate of arrival is known after five
        trainer.terminate()
    assert releases.newest() == second  # a restart alone trains nothing


def test_it_trains_when_time_has_passed_and_anything_is_new(kafka: KafkaSettings, tmp_path: Path) -> None:
    with TrainerProcess(kafka, tmp_path, every_listens=10**6, every_seconds=8, **SOON) as trainer:
        produce(kafka, 0, 20)
        trainer.until(lambda: trainer.log.read_text().count("is in force") == 1)
        produce(kafka, 20, 1)
        trainer.until(lambda: trainer.log.read_text().count("is in force") == 2)
        time.sleep(12)
        assert trainer.log.read_text().count("is in force") == 2  # nothing is new
        trainer.terminate()


@pytest.mark.slow
def test_killed_again_and_again_it_neither_loses_nor_repeats(kafka: KafkaSettings, tmp_path: Path) -> None:
    count, rng = 20_000, random.Random(5)
    source = threading.Thread(target=produce, args=(kafka, 0, count, 0.03))
    source.start()
    options = {**ONLY_READ, "flush_seconds": 0.01, "flush_listens": 20, "merge_segments": 3}
    kills = 0
    while source.is_alive() or kills < 6:
        with TrainerProcess(kafka, tmp_path, **options) as trainer:
            before = reached(tmp_path)
            trainer.until(lambda before=before: not source.is_alive() or reached(tmp_path) > before)  # type: ignore[misc]  # binds the loop's value
            time.sleep(rng.random())
            trainer.process.kill()
            trainer.process.wait()
            kills += 1
    source.join()
    begun = (tmp_path / "trainer.log").read_text().count("metrics at")  # one that is killed early never says it
    with TrainerProcess(kafka, tmp_path, **options) as trainer:
        trainer.until(lambda: trainer.log.read_text().count("metrics at") > begun)
        trainer.until(lambda: reached(tmp_path) >= count)
        trainer.terminate()
    offsets = kept(tmp_path)
    assert all(found == list(range(len(found))) for found in offsets.values())
    assert sum(map(len, offsets.values())) == count
    assert not list(tmp_path.rglob(".aside-*"))


@pytest.mark.slow
def test_killed_while_publishing_it_publishes_after_a_restart(kafka: KafkaSettings, tmp_path: Path) -> None:
    produce(kafka, 0, 2_000)
    releases = tmp_path / "releases"
    with TrainerProcess(kafka, tmp_path, **SOON) as trainer:
        trainer.until(lambda: list(releases.glob(".*")), every_s=0.001)  # it is there for some milliseconds
        trainer.process.kill()
        trainer.process.wait()
    time.sleep(2)  # the training's own process finds that nobody listens
    with TrainerProcess(kafka, tmp_path, **SOON) as trainer:
        trainer.until(lambda: KafkaReleases(kafka).newest())
        trainer.terminate()
    newest = KafkaReleases(kafka).newest()
    assert newest is not None
    assert release.load(Path(newest.uri), newest.sha256).manifest.listens == 2_000
    assert not list(releases.glob(".*"))


def test_told_to_stop_in_the_midst_of_a_training_it_stops_and_leaves_nothing(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    produce(kafka, 0, 500)
    with TrainerProcess(kafka, tmp_path, iterations=10**7, **SOON) as trainer:
        trainer.until(lambda: "training: check" in trainer.log.read_text())
        aside = release.make_aside(tmp_path / "releases" / "half")
        assert trainer.terminate() < 10
        assert not aside.exists()
    assert KafkaReleases(kafka).newest() is None
    assert list((tmp_path / "releases").iterdir()) == []
    assert sum(map(len, kept(tmp_path).values())) == 500


def test_the_history_of_another_cluster_is_refused_with_a_sentence(kafka: KafkaSettings, tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "identity.json").write_text('{"cluster":"other","topic":"listens","topic_id":"x"}')
    with TrainerProcess(kafka, tmp_path) as trainer:
        assert trainer.process.wait(LIMIT) == 1
    last = trainer.log.read_text().splitlines()[-1]
    assert last.startswith("segue trainer: ")
    assert "of cluster other, but the broker has" in last
