"""Music by its words, from tracks with lyrics on the topic to picks and lists: trainer, profiler, scorer, all real."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from models.lyrics import part
from schemas.codec import encode
from schemas.events import Listen
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENS, TRACKS
from schemas.track import Track
from services.cli import stream
from services.cli.__main__ import app
from services.demo.processes import Service
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.settings import KafkaSettings
from services.trainer.kafka_releases import KafkaReleases
from tests.unit.models.lyrics.worlds import TOPICS, told, tracks

SONGS = 63
LIMIT = 500.0  # seconds until a test gives up: torch is loaded meanwhile, on a machine that may do much else
SMALL = {
    "SEGUE_LYRICS_TOPIC_SEEDS": "1", "SEGUE_LYRICS_EPOCHS": "3", "SEGUE_LYRICS_DIMENSIONS": "8",
    "SEGUE_LYRICS_CLUSTERS": "3", "SEGUE_LYRICS_FEATURES": "200", "SEGUE_LYRICS_WORDS": "plain",
    "SEGUE_ALS_FACTORS": "4", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_TRAINER_CHECK_LISTENERS": "0",
    "SEGUE_TRAINER_THREADS": "1", "SEGUE_LIST_SOURCES": "history=4 lyrics=4 popular=1", "SEGUE_PROFILER_LOOP": "bulk",
}  # fmt: skip


def ids(songs: list[dict[str, Any]]) -> list[str]:
    """Of the songs, in their order."""
    return [song["track_id"] for song in songs]


def topic(track_id: str) -> str:
    """What a song of worlds.tracks is about."""
    return TOPICS[int(track_id[1:]) % len(TOPICS)]


class World:
    """A broker, a Redis, the three services; a catalogue of songs with lyrics that others have listened to."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.folder, self.kafka = folder, KafkaSettings(bootstrap=stack.bootstrap)
        self.songs, self.numbers = tracks(SONGS), count()
        topics.apply(self.kafka)
        self._send()
        environment = {
            **SMALL, "SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_REDIS_URL": stack.redis_url,
            "SEGUE_TRAINER_RELEASES": str(folder / "releases"), "SEGUE_TRAINER_HISTORY": str(folder / "history"),
        }  # fmt: skip
        self.env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("SEGUE_")}
        self.env |= {**environment, "COLUMNS": "160"}
        self._environment = environment
        self.services: list[Service] = []

    def start(self) -> None:
        """All services, the scorer once there is a release."""
        self.services = [Service("trainer", self.folder, self._environment)]
        self.release = self._announced()
        self.services += [Service(name, self.folder, self._environment) for name in ("profiler", "scorer")]
        for service in self.services:
            asyncio.run(service.ready(LIMIT))

    def end(self) -> None:
        for service in self.services:
            service.ask_to_stop()
        for service in self.services:
            service.stop(3)

    def _send(self) -> None:
        """Every song with its lyrics, and listens of four others."""
        producer = kafka_clients.producer(self.kafka)
        for row in self.songs.iter_rows(named=True):
            labels = json.loads(row["labels"] or "{}")
            made = Track(row["track_id"], row["title"], row["artist"], labels=labels, lyrics=row["lyrics"])
            producer.send(TRACKS.name, encode(made), made.track_id.encode())
        for number in range(40):
            event = Listen(f"o{number}", f"other-{number % 4}", f"t{number % SONGS}", int(time.time() * 1000))
            producer.send(LISTENS.name, encode(event), event.user_id.encode())
        producer.flush(30)
        producer.close()

    def _announced(self) -> ReleaseAnnounced:
        deadline = time.monotonic() + LIMIT
        while "is in force" not in (self.folder / "trainer.log").read_text():
            self.services[0].check()
            assert time.monotonic() < deadline, f"no release within {LIMIT:g} s: {self.services[0].told()}"
            time.sleep(0.1)
        found = KafkaReleases(self.kafka).newest()
        assert found is not None
        return found

    def after(self, user: str, track_id: str) -> Recommendations:
        """The first list that knows of this play."""
        event = Listen(f"e{next(self.numbers)}", user, track_id, int(time.time() * 1000))
        with stream.Lists(self.kafka, user) as lists:
            lists.newest()
            _, offset = stream.send(self.kafka, event)
            return next(made for made in lists.follow(LIMIT) if made.profile_version >= offset)

    def picked(self, *arguments: str) -> list[dict[str, Any]]:
        """The songs of `segue pick … --json`."""
        said = CliRunner().invoke(app, ["pick", *arguments, "--json"], env=self.env)
        assert said.exit_code == 0, f"{said.output} {said.exception!r}"
        found = json.loads(said.stdout)
        assert found["release_id"] == self.release.release_id
        songs: list[dict[str, Any]] = found["songs"]
        return songs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    with LocalStack() as stack:
        made = World(stack, tmp_path_factory.mktemp("lyrics"))
        try:
            made.start()
            yield made
        finally:
            made.end()


def test_songs_are_picked_by_topic_from_the_release_in_force(world: World) -> None:
    for asked in TOPICS:
        songs = world.picked(asked, "-n", "30")
        assert len(songs) == SONGS // 3
        assert {topic(song["track_id"]) for song in songs} == {asked}
        sure = [song["probability"] for song in songs if song["probability"] > 0.5]
        assert sure == sorted(sure, reverse=True)
        assert {song["taste"] for song in songs} == {None}
    said = CliRunner().invoke(app, ["pick", "wars"], env=world.env)
    assert "there are war, " in str(said.exception)


def test_a_listener_gets_a_topics_songs_by_their_own_taste(world: World) -> None:
    before = world.picked("war", "-n", "30")
    stranger = world.picked("war", "-n", "30", "--for", "nobody")
    assert ids(stranger) == ids(before)
    assert {song["taste"] for song in stranger} == {0.0}
    sure = [song["track_id"] for song in before if song["probability"] > 0.5]
    liked = sure[-1]  # the last of them for anybody
    world.after("ann", liked)
    mine = world.picked("war", "-n", "30", "--for", "ann")
    assert sorted(ids(mine)) == sorted(ids(before))
    taste = {song["track_id"]: song["taste"] for song in mine}
    assert taste[liked] == max(taste.values()) == pytest.approx(1.0, abs=1e-3)
    assert ids(mine).index(liked) < len(sure) - 1
    both = [song["taste"] + song["probability"] for song in mine[: len(sure)]]
    assert both == pytest.approx(sorted(both, reverse=True), abs=1e-3)


def test_a_play_brings_songs_with_words_like_it_into_the_very_next_list(world: World) -> None:
    titles = dict(world.songs.select("track_id", pl.format("Words like “{}” by {}", "title", "artist")).iter_rows())
    for heard in ("t1", "t2"):
        made = world.after(f"listener-of-{heard}", heard)
        alike = [item for item in made.items if item.source == "lyrics"]
        assert len(alike) > 5
        assert {item.reason for item in alike} == {titles[heard]}
        assert heard not in {item.track_id for item in alike}
        assert sum(topic(item.track_id) == topic(heard) for item in alike[:5]) >= 4


def test_lyrics_are_in_no_log_and_in_no_release(world: World) -> None:
    lines = [line for lyrics in world.songs["lyrics"] for line in lyrics.split("\n")]
    files = [*world.folder.glob("*.log"), *Path(world.release.uri.removeprefix("file://")).iterdir()]
    assert len(files) > 10
    held = "\n".join(told(path) for path in files)
    assert world.songs["title"][0] in held
    assert not [line for line in lines if line in held]
