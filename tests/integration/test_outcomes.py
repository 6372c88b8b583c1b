"""Live evaluation as a process on a real Kafka: what it counts is what a straight recount of the two topics gives."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import pytest

from models.admission import admit
from models.sources.settings import ListSettings
from models.taste import TasteSettings, is_positive
from schemas.codec import decode, encode
from schemas.errors import Poison
from schemas.events import Listen
from schemas.outcome import Outcome
from schemas.recommendation import Item, Recommendations
from schemas.topics import LISTENS, OUTCOMES, RECOMMENDATIONS
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.bulk_producer import partition_of
from services.runtime.kafka_log import KafkaLog, Record
from services.runtime.settings import KafkaSettings
from services.scorer.split import Split
from tests.integration.scorers import metric, ready, until

SOURCES = ("history", "als", "popular")
SPLIT = Split(ListSettings(), ListSettings(), share=0.4, salt="test")
HOUR_MS = 3_600_000


class Judged(NamedTuple):
    """What a straight recount says of one event."""

    list_id: str
    variant: str
    release: str
    rank: int | None
    source: str | None
    skipped: bool


class World:
    """One broker, a stand-in for listeners and scorer, and processes that come and go."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack, self.random = stack, Random(7)
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        self.producer = kafka_clients.producer(self.kafka)
        self.running: list[tuple[subprocess.Popen[bytes], int]] = []
        self.events = 0

    def start(self, **settings: str) -> int:
        """A process of the service; its metrics port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_OUTCOMES_METRICS_PORT": str(port),
            **settings,
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "services.outcomes"], env=environment)
        self.running.append((process, port))
        return port

    def end(self, number: signal.Signals = signal.SIGTERM) -> list[int]:
        """End all; their exit codes."""
        for process, _ in self.running:
            process.send_signal(number)
        codes = [process.wait(20) for process, _ in self.running]
        self.running = []
        return codes

    # --- listeners and a scorer

    def list_for(self, user: str, version: int, made_at: int) -> None:
        """A list of 10 to 60 of 120 tracks, in the listener's variant."""
        variant = SPLIT.of(user)
        tracks = self.random.sample(range(120), self.random.randint(10, 60))
        items = [Item(f"t{track}", 1.0, "", SOURCES[track % 3]) for track in tracks]
        at = partition_of(user.encode(), LISTENS.partitions)
        release = f"r{len(items) % 3}"
        list_id = f"{at}-{version}-{release}-{made_at}"
        made = Recommendations(list_id, user, at, version, release, made_at, 0, 0, items, variant)
        self.producer.send(RECOMMENDATIONS.name, encode(made), user.encode(), partition=at).get(20)

    def play(self, user: str) -> tuple[int, int]:
        """One event of any sort; its offset, and when the broker appended it."""
        self.events += 1
        now, dice = now_ms(), self.random.random()
        number = self.events - 5 if dice < 0.05 else self.events  # now and then a producer sends one twice
        kind = self.random.choice(["play", "play", "play", "skip", "love"])
        late = 2 * HOUR_MS if 0.05 <= dice < 0.1 else 0
        event = Listen(
            f"e{number}", user, f"t{self.random.randrange(120)}", now - late, kind,
            ms_played=self.random.choice([None, 5_000, 200_000]),
        )  # type: ignore[arg-type]  # kind  # fmt: skip
        value = b"{broken" if 0.1 <= dice < 0.13 else encode(event)
        sent = self.producer.send(LISTENS.name, value, user.encode()).get(20)
        return sent.offset, sent.timestamp

    def live(self, turns: int, users: list[str]) -> None:
        """Listeners play, and most plays lead to a list that knows of them: some in the very ms of the play."""
        for _ in range(turns):
            user = self.random.choice(users)
            offset, appended = self.play(user)
            if self.random.random() < 0.7:
                self.list_for(user, offset, self.random.choice([appended, now_ms()]))

    # --- what came of it

    def records(self, topic: str) -> Iterator[tuple[int, Record]]:
        with KafkaLog(self.kafka) as log:
            for partition, span in log.spans(topic).items():
                for batch in log.read(topic, partition, span.first, span.end):
                    yield from ((partition, record) for record in batch)

    def outcomes(self) -> list[Outcome]:
        return [decode(Outcome, record.value) for _, record in self.records(OUTCOMES.name)]

    def expected(self) -> dict[tuple[str, str], Judged]:
        """(listener, event) -> what is right, by looking at everything for each listen anew."""
        lists: dict[str, list[Recommendations]] = {}
        for _, record in self.records(RECOMMENDATIONS.name):
            made = decode(Recommendations, record.value)
            lists.setdefault(made.user_id, []).append(made)
        found: dict[tuple[str, str], Judged] = {}
        for _, record in self.records(LISTENS.name):
            try:
                event = admit(record.value, record.key, record.time)
            except Poison:
                continue
            stood = [
                made for made in lists.get(event.user_id, ())
                if made.made_at <= record.time and made.profile_version < record.offset
            ]  # fmt: skip
            if event.kind == "love" or record.time - event.listened_at > HOUR_MS or not stood:
                continue
            made, skipped = stood[-1], not is_positive(event, TasteSettings())
            at = [item.track_id for item in made.items].index(event.track_id) if any(
                item.track_id == event.track_id for item in made.items) else None  # fmt: skip
            judged = Judged(
                made.list_id, made.variant, made.release_id, None if at is None else at + 1,
                None if at is None else made.items[at].source, skipped,
            )  # fmt: skip
            found.setdefault((event.user_id, event.event_id), judged)
        return found

    def counted(self) -> dict[tuple[str, str], Judged]:
        """The same from the outcomes, the first of each event."""
        found: dict[tuple[str, str], Judged] = {}
        for o in self.outcomes():
            judged = Judged(o.list_id, o.variant, o.release_id, o.rank, o.source, o.kind == "skip")
            found.setdefault((o.user_id, o.event_id), judged)
        return found

    def report(self, *options: str) -> str:
        environment = {**os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap}
        command = [sys.executable, "-W", "ignore", "-m", "services.cli", "report", *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def judged(port: int) -> float:
    """Listens judged so far; 0 while it starts."""
    try:
        return metric(port, "segue_outcomes_listens_total")
    except OSError:
        return 0.0


def same(world: World) -> Callable[[], bool]:
    expected = world.expected()
    return lambda: len(world.counted()) >= len(expected)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Of our own: other tests' listens would be counted too."""
    with LocalStack() as stack:
        world = World(stack)
        yield world
        world.end(signal.SIGKILL)
        world.producer.close(timeout=2)


def test_with_no_outcomes_yet_the_report_says_so(world: World) -> None:  # must come first
    assert "no outcomes yet" in world.report()
    assert json.loads(world.report("--json"))["all"]["listens"] == 0


def test_killed_and_restarted_it_counts_what_a_straight_recount_gives(world: World) -> None:
    users = [f"listener-{number}" for number in range(24)]
    for user in users[:20]:
        world.list_for(user, 0, now_ms() - 1_000)
    port = world.start()
    world.live(150, users)
    until(lambda: judged(port) > 40, "the first outcomes")
    world.live(30, users)
    world.end(signal.SIGKILL)
    before = len(world.outcomes())
    world.live(150, users)  # while nobody is there: lists that stood then are not the newest any more
    world.start()
    world.live(70, users)
    until(same(world), "every outcome")
    expected, counted = world.expected(), world.counted()
    assert counted == expected
    assert 0 < before < len(expected)
    assert {judged.variant for judged in expected.values()} == {"a", "b"}
    assert {judged.rank is None for judged in expected.values()} == {True, False}
    assert world.end() == [0]


def test_the_report_is_what_the_recount_gives(world: World) -> None:
    expected, found = world.expected(), json.loads(world.report("--json"))
    hits = [each for each in expected.values() if each.rank is not None]
    assert found["all"]["listens"] == len(expected)
    assert found["all"]["hit"]["hits"] == len(hits)
    assert found["all"]["hit_top"]["hits"] == sum(each.rank is not None and each.rank <= 20 for each in hits)
    assert found["all"]["skipped_hits"]["hits"] == sum(each.skipped for each in hits)
    assert found["all"]["skipped"]["hits"] == sum(each.skipped for each in expected.values())
    assert {line["name"]: line["hit"]["hits"] for line in found["sources"]} == Counter(each.source for each in hits)
    for name, field in (("variants", "variant"), ("releases", "release")):
        lines = {line["name"]: (line["listens"], line["hit"]["hits"]) for line in found[name]}
        assert lines == {
            value: (sum(getattr(each, field) == value for each in expected.values()),
                    sum(getattr(each, field) == value for each in hits))
            for value in {getattr(each, field) for each in expected.values()}
        }  # fmt: skip
    share = {v: sum(e.variant == v for e in hits) / sum(e.variant == v for e in expected.values()) for v in "ab"}
    assert found["apart"]["hit"]["difference"] == pytest.approx(share["a"] - share["b"])
    assert (found["apart"]["hit"]["low"], found["apart"]["hit"]["high"]) == (None, None)  # too few listeners for one
    assert found["repeats"] == len(world.outcomes()) - len(expected)
    shown = world.report("--since", "1h")
    assert f"{len(expected):,} plays and skips of" in shown
    assert "a − b" in shown
    assert "none of the" in world.report("--since", "2999-01-01")


def test_the_offsets_are_committed_so_a_restart_judges_nothing_twice(world: World) -> None:
    before = len(world.outcomes())
    port = world.start()
    user = "listener-1"
    world.list_for(user, 0, now_ms())
    world.producer.send(LISTENS.name, encode(Listen("last", user, "t1", now_ms())), user.encode()).get(20)
    until(lambda: judged(port) == 1, "the one new outcome")
    assert not ready(port)
    assert world.end() == [0]
    assert len(world.outcomes()) == before + 1


def test_two_share_the_partitions_and_one_takes_over(world: World) -> None:
    users = [f"sharer-{number}" for number in range(16)]
    for user in users:
        world.list_for(user, 0, now_ms())
    ports = [world.start(), world.start()]
    until(lambda: not any(map(ready, ports)), "both to have partitions")
    world.live(60, users)
    until(lambda: all(judged(port) > 0 for port in ports), "both to judge")
    gone, _ = world.running.pop(0)
    gone.kill()
    gone.wait(10)
    world.live(60, users)
    until(same(world), "every outcome")
    assert world.counted() == world.expected()
    assert world.end() == [0]


def test_a_broker_that_goes_and_comes_back_loses_nothing(world: World) -> None:
    users = [f"patient-{number}" for number in range(8)]
    for user in users:
        world.list_for(user, 0, now_ms())
    port = world.start()
    until(lambda: not ready(port), "it to be ready")
    world.live(30, users)
    world.producer.close(timeout=2)  # kafka-python leaves a socket behind for each attempt to connect
    world.stack.kafka.stop()
    try:
        until(lambda: "kafka" in ready(port), "it to say that the broker is away")
    finally:
        world.stack.kafka.start()
        world.producer = kafka_clients.producer(world.kafka)
    world.live(30, users)
    until(same(world), "every outcome")
    assert world.counted() == world.expected()
    until(lambda: not ready(port), "it to be ready again")
    assert world.end() == [0]


def test_it_leaves_within_five_seconds_also_while_the_broker_is_away(world: World) -> None:
    port = world.start()
    until(lambda: not ready(port), "it to be ready")
    world.live(5, ["patient-1"])
    world.producer.close(timeout=2)
    world.stack.kafka.stop()
    try:
        until(lambda: "kafka" in ready(port), "it to say that the broker is away")
        began = time.monotonic()
        assert world.end() == [0]
        assert time.monotonic() - began < 5
    finally:
        world.stack.kafka.start()
        world.producer = kafka_clients.producer(world.kafka)
