"""A simulated crowd on a real broker: every listen once, with lists and without, stopped, run again, refused."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console

from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from schemas.topics import LISTENS, RECOMMENDATIONS, TRACKS
from schemas.track import Track
from services.demo.crowd import CrowdOptions, Played, Stream, play_crowd
from services.demo.data import lived
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.errors import Fatal
from services.runtime.kafka_clients import consumer, producer
from services.runtime.settings import KafkaSettings
from services.simulator.crowd import make_crowd
from services.simulator.settings import CrowdSettings

SMALL = CrowdOptions(listeners=12, days=3, rate=100.0, live_s=1.5)
LIMIT_S = 60.0


@pytest.fixture
def kafka() -> Iterator[KafkaSettings]:
    """A broker of its own for each test: crowds call their listeners and tracks alike."""
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(settings)
        yield settings


def play(kafka: KafkaSettings, state: Path, options: CrowdOptions = SMALL) -> Played:
    return play_crowd(Stream(kafka, state, lambda: False), options, Console(file=StringIO()))


def values(kafka: KafkaSettings, topic: str, partitions: int) -> list[tuple[bytes, bytes]]:
    """(key, value) of the whole topic."""

    async def read() -> list[tuple[bytes, bytes]]:
        reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        await reader.start()
        try:
            all_of_it = [TopicPartition(topic, number) for number in range(partitions)]
            reader.assign(all_of_it)
            ends, found = await reader.end_offsets(all_of_it), []
            while [tp for tp, end in ends.items() if await reader.position(tp) < end]:
                for batch in (await reader.getmany(timeout_ms=500)).values():
                    found += [(record.key, record.value) for record in batch]
            return found
        finally:
            await reader.stop()

    return asyncio.run(asyncio.wait_for(read(), LIMIT_S))


def listens(kafka: KafkaSettings) -> list[Listen]:
    found = [(key, decode(Listen, value)) for key, value in values(kafka, LISTENS.name, LISTENS.partitions)]
    assert all(key == listen.user_id.encode() for key, listen in found)
    return [listen for _, listen in found]


def past_of(options: CrowdOptions) -> tuple[set[str], set[str]]:
    """Event ids and tracks that the crowd's history has, made here anew."""
    crowd = make_crowd(CrowdSettings(listeners=options.listeners), np.random.default_rng(options.seed))
    past, tracks = lived(crowd, options.days)
    return set(past["event_id"]), set(tracks["track_id"])


def test_every_listen_is_sent_once_also_by_a_second_run_and_without_lists_it_ends_well(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    past, catalogue = past_of(SMALL)
    began_ms = time.time_ns() // 1_000_000
    first = play(kafka, tmp_path)
    assert (first.history, first.already, first.tracks >= len(catalogue)) == (len(past), 0, True)
    assert 20 <= first.listens <= 151
    assert (first.lists, first.unanswered, first.latency_ms, first.hit_rate_at_20) == (0, first.listens, {}, None)

    found = listens(kafka)
    ids = Counter(listen.event_id for listen in found)
    assert set(ids.values()) == {1}
    assert past <= set(ids)
    assert len(ids) == len(past) + first.listens
    sent = [decode(Track, value).track_id for _, value in values(kafka, TRACKS.name, TRACKS.partitions)]
    assert catalogue <= set(sent)
    assert len(sent) == len(set(sent)) == first.tracks
    live = [listen for listen in found if listen.event_id not in past]
    assert all(began_ms <= listen.listened_at <= time.time_ns() // 1_000_000 for listen in live)
    week_ms = 7 * 86_400_000
    assert began_ms - week_ms < max(it.listened_at for it in found if it.event_id in past) < began_ms

    second = play(kafka, tmp_path / "another machine")
    assert (second.history, second.already) == (0, len(past))
    ids = Counter(listen.event_id for listen in listens(kafka))
    assert set(ids.values()) == {1}
    assert len(ids) == len(past) + first.listens + second.listens

    with pytest.raises(Fatal, match="already holds another track"):
        play(kafka, tmp_path, CrowdOptions(seed=1, listeners=12, days=3))
    assert len(listens(kafka)) == len(ids)


@contextmanager
def answering(kafka: KafkaSettings, tracks: list[str]) -> Iterator[None]:
    """A list for each listen, in place of profiler and scorer."""
    ended, ready = threading.Event(), threading.Event()

    def answer() -> None:
        reader, writer = consumer(kafka, LISTENS.name, group="answering", auto_offset_reset="latest"), producer(kafka)
        while not ended.is_set():
            batches = reader.poll(100)
            if reader.assignment():
                ready.set()
            for record in (record for batch in batches.values() for record in batch):
                listen = decode(Listen, record.value)
                made = Recommendations(
                    f"list-{record.partition}-{record.offset}", listen.user_id, record.partition, record.offset,
                    "r", listen.listened_at, listen.listened_at, listen.listened_at,
                    [Item(track, 1.0, "because", "test") for track in tracks],
                )  # fmt: skip
                writer.send(RECOMMENDATIONS.name, encode(made), key=record.key)
        reader.close()
        writer.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        ended.set()
        thread.join()


def test_listeners_play_from_the_lists_that_come_and_the_loop_is_told(kafka: KafkaSettings, tmp_path: Path) -> None:
    offered = sorted(past_of(SMALL)[1])[:40]
    with answering(kafka, offered):
        made = play(kafka, tmp_path, CrowdOptions(listeners=12, days=0, rate=100.0, live_s=4.0))
    assert (made.history, made.already) == (0, 0)
    assert made.unanswered == 0
    assert 0 < made.latency_ms["p50"] <= made.latency_ms["p95"] <= made.latency_ms["p99"]
    assert made.lists == made.listens > 50
    found = listens(kafka)
    taken = [listen for listen in found if listen.list_id]
    assert made.plays_from_list == len(taken) > 5
    assert made.acceptance is not None
    assert made.hit_rate_at_20 is not None
    assert all(listen.organic is False and listen.track_id in offered for listen in taken)
    standing = {value.list_id: value.user_id for value in lists(kafka)}
    assert all(standing[str(listen.list_id)] == listen.user_id for listen in taken)

    again = play(kafka, tmp_path, CrowdOptions(listeners=12, days=0, rate=100.0, live_s=4.0))
    assert again.lists == 0  # those that stood before it began are not its own
    assert again.plays_from_list > 0


def lists(kafka: KafkaSettings) -> list[Recommendations]:
    found = values(kafka, RECOMMENDATIONS.name, RECOMMENDATIONS.partitions)
    return [decode(Recommendations, value) for _, value in found]


def segue(bootstrap: str, state: Path, *arguments: str) -> "subprocess.Popen[str]":
    environ = {**os.environ, "SEGUE_KAFKA_BOOTSTRAP": bootstrap, "SEGUE_STATE": str(state)}
    command = [sys.executable, "-m", "services.cli", "simulate", "--listeners", "12", "--days", "2", *arguments]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def summary(out: str) -> dict[str, Any]:
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_ctrl_c_ends_it_well_and_everything_it_names_is_in_the_topic(kafka: KafkaSettings, tmp_path: Path) -> None:
    running = segue(kafka.bootstrap, tmp_path, "--rate", "50", "--json")
    deadline = time.monotonic() + LIMIT_S
    past = len(past_of(CrowdOptions(listeners=12, days=2))[0])
    while len(values(kafka, LISTENS.name, LISTENS.partitions)) < past + 20:
        assert time.monotonic() < deadline
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 0, err
    assert "Traceback" not in err
    assert "no lists came" in err
    made = summary(out)
    assert (made["history"], made["lists"], made["stopped"]) == (past, 0, False)
    assert made["listens"] >= 20
    assert len({listen.event_id for listen in listens(kafka)}) == past + made["listens"]


def test_a_broker_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    running = segue("127.0.0.1:1", tmp_path, "--for", "1s")
    out, err = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 69
    assert out == ""
    assert err.startswith("segue: no broker answers at 127.0.0.1:1")
    assert len(err.splitlines()) == 1
