"""A ban and a love, from the event to the list, through a real Kafka, a real Redis, a profiler and a scorer."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from models.als.settings import AlsSettings
from schemas.codec import encode
from schemas.events import Listen
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import RELEASES
from services.cli import stream
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.settings import KafkaSettings
from tests.unit.scorer.worlds import frame, write_release

ARTISTS = 6
SONGS = 60
LIMIT = 60.0  # seconds until a test gives up


class World:
    """One of each: broker, Redis, profiler, scorer; a release of SONGS tracks by ARTISTS artists."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        titles = [(f"Song {row}", f"Artist {row % ARTISTS}") for row in range(SONGS)]
        factors = np.random.default_rng(1).normal(size=(SONGS, 4)).astype(np.float32)
        sha256 = write_release(folder / "r1", frame(titles), factors, AlsSettings(factors=4, regularization=1.0))
        producer = kafka_clients.producer(self.kafka)
        announced = ReleaseAnnounced("r1", str(folder / "r1"), sha256, 0)
        producer.send(RELEASES.name, encode(announced), b"current").get(10)
        producer.close()
        self.excluded = folder / "excluded.txt"
        self.excluded.write_text("")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")},
            "SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_REDIS_URL": stack.redis_url,
            "SEGUE_PROFILER_METRICS_PORT": "0", "SEGUE_SCORER_METRICS_PORT": "0", "SEGUE_LIST_LENGTH": "30",
            "SEGUE_LIST_EXCLUDE": str(self.excluded), "SEGUE_LIST_MIXES": "discover=30",
        }  # fmt: skip
        names = ("services.profiler", "services.scorer")
        self.services = [subprocess.Popen([sys.executable, "-m", name], env=environment) for name in names]
        self.numbers = count()

    def close(self) -> None:
        for service in self.services:
            service.terminate()
        for service in self.services:
            try:
                service.wait(20)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()

    def after(self, user: str, track: str, kind: str = "play", artist: str | None = None, scope: str = "track"
              ) -> Recommendations:  # fmt: skip
        """Send one event; the first list that was made after it."""
        number = next(self.numbers)
        artist = artist or f"Artist {int(track[1:]) % ARTISTS}"
        event = Listen(f"e{number}", user, track, int(time.time() * 1000), kind, artist, scope=scope)  # type: ignore[arg-type]  # one of those
        with stream.Lists(self.kafka, user) as lists:
            lists.newest()
            _, offset = stream.send(self.kafka, event)
            for made in lists.follow(LIMIT):
                if made.profile_version >= offset:
                    return made
        raise AssertionError(f"no list reflected offset {offset} within {LIMIT:g} s")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack, tmp_path_factory.mktemp("releases"))
        yield world
        world.close()


def tracks(made: Recommendations) -> set[str]:
    """Of every list in the message."""
    return {item.track_id for items in (made.items, *made.mixes.values()) for item in items}


def by(made: Recommendations, artist: int) -> set[str]:
    return {track for track in tracks(made) if int(track[1:]) % ARTISTS == artist}


def test_a_banned_track_is_gone_from_the_very_next_list_and_comes_back(world: World) -> None:
    world.after("ann", "t1")
    before = world.after("ann", "t2")
    assert "t1" in tracks(before)
    assert "t1" not in tracks(world.after("ann", "t1", "ban"))
    assert "t1" not in tracks(world.after("ann", "t3"))
    assert "t1" in tracks(world.after("ann", "t1", "unban"))


def test_a_banned_artist_is_gone_from_the_very_next_list(world: World) -> None:
    world.after("ben", "t4")
    before = world.after("ben", "t1")
    assert by(before, 4)
    after = world.after("ben", "t4", "ban", scope="artist")
    assert not by(after, 4)
    assert tracks(after)
    assert by(world.after("ben", "t4", "unban", scope="artist"), 4)


def test_a_love_changes_the_very_next_list(world: World) -> None:
    for track in ("t7", "t8", "t9", "t7", "t8"):
        before = world.after("cat", track)
    old = [item.track_id for item in before.items]
    loved = old[-1]
    new = [item.track_id for item in world.after("cat", loved, "love").items]
    assert new.index(loved) < 5 < old.index(loved)
    assert new != old


def test_what_the_operator_excludes_is_gone_from_the_very_next_list(world: World) -> None:
    before = world.after("dan", "t10")
    track = before.items[0].track_id
    artist = (int(track[1:]) + 1) % ARTISTS
    assert by(before, artist)
    world.excluded.write_text(f"track {track}\nartist Artist {artist}\n")
    after = world.after("eve", "t11")
    assert track not in tracks(after)
    assert not by(after, artist)
    world.excluded.write_text("")
    assert track in tracks(world.after("dan", "t12"))
