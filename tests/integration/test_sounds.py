"""From a `tracks` event with a recording to a listener's list with a sound-alike that nobody has played: all on Kafka.

Only the profiler is stood in for; networks are taught, exported and asked as ever, but shortly.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models import release
from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS, TRACKS
from schemas.track import Track
from services.local.stack import LocalStack
from services.runtime.kafka_clients import producer
from services.trainer.kafka_releases import KafkaReleases
from tests.integration.scorers import World
from tests.integration.trainers import TrainerProcess
from tests.unit.models.audio.sounds import noise, tone, write
from tests.unit.scorer.worlds import NOON

for needed, extra in (("torch", "neural"), ("onnxscript", "neural"), ("soundfile", "audio"), ("soxr", "audio")):
    pytest.importorskip(needed, reason=f"needs segue[{extra}]")

PLAYED = 10  # t0 … t9: tones where even, noise where odd
LIKE, UNLIKE = 10, 11  # a tone and a noise that nobody plays
SHORT = {
    "SEGUE_AUDIO_CROPS": "96", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_ALS_FACTORS": "4",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack, tmp_path / "none")
        yield world
        world.close()


def announce_tracks(world: World, folder: Path) -> None:
    """Twelve recordings; a tone is "rock", a noise "classical"."""
    client = producer(world.kafka)
    for row in range(PLAYED + 2):
        sound = noise(row, 1.2) if row % 2 else tone(180 + 7 * row, 1.2) + 0.1 * noise(row, 1.2)
        path = write(folder / f"{row}.wav", np.asarray(sound, dtype=np.float32))
        told = Track(
            f"t{row}", f"Song {row}", f"Artist {row}", genre=["rock", "classical"][row % 2], audio=path.as_uri()
        )
        client.send(TRACKS.name, key=told.track_id.encode(), value=encode(told)).get(10)
    client.close()


def play(world: World, listeners: int = 8) -> None:
    """Everybody plays five of the ten, all of which have two listeners or more."""
    client = producer(world.kafka)
    for user in range(listeners):
        for step in range(5):
            row = (user + 2 * step + user % 2) % PLAYED
            at = (NOON + 60 * step) * 1000
            told = Listen(f"e{user}-{step}", f"u{user}", f"t{row}", at, artist=f"Artist {row}")
            client.send(LISTENS.name, key=told.user_id.encode(), value=encode(told)).get(10)
    client.close()


@pytest.mark.slow
def test_a_track_that_nobody_has_played_reaches_who_likes_its_sound(world: World, tmp_path: Path) -> None:
    announce_tracks(world, tmp_path / "wav")
    play(world)
    short = SHORT | {"SEGUE_AUDIO_CACHE": str(tmp_path / "cache")}
    options = {"flush_seconds": 0.1, "check_listeners": 0, "threads": 1, "min_listens": 40}
    with TrainerProcess(world.kafka, tmp_path, environ=short, **options) as trainer:
        trainer.until(lambda: "is in force" in trainer.log.read_text(), limit_s=480.0)  # torch alone takes a while
        trainer.terminate()
    announced = KafkaReleases(world.kafka).newest()
    assert announced is not None
    loaded = release.load(Path(announced.uri), announced.sha256)
    assert loaded.sounds is not None
    assert len(loaded.sounds.rows) == PLAYED + 2
    counts = dict(loaded.catalogue.frame.select("track_id", "plays").iter_rows())
    assert counts["t10"] == counts["t11"] == 0

    world.start(SEGUE_LIST_MIX="playlist", SEGUE_LIST_LENGTH="9")
    ann = world.listener()
    made = world.newest(ann, world.plays(ann, 0, 2, 4))
    assert made.release_id == announced.release_id
    order = [item.track_id for item in made.items]
    assert order.index(f"t{LIKE}") < order.index(f"t{UNLIKE}")
    (item,) = [item for item in made.items if item.track_id == f"t{LIKE}"]
    assert item.source == "sounds"
    assert item.reason.startswith("Sounds like “Song ")
    assert world.end_scorers() == [0]
