"""Scorers as processes on a real Kafka and a real Redis, and stand-ins for profiler and trainer."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import count
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from models.profile import Profile
from models.taste import fold
from schemas.codec import decode, encode
from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import LISTENER_PARTITIONS, PROFILES, RECOMMENDATIONS, RELEASES
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.keys import profile_key
from services.runtime.settings import KafkaSettings
from tests.unit.scorer.worlds import NOON, TASTE, checkerboard_parts, frame, listen, write_release

DEADLINE = 40.0


class World:
    """One broker, one Redis, a stand-in for the profiler, and scorers that come and go."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        self.redis = Redis.from_url(stack.redis_url)
        self.connect()
        self.scorers: list[tuple[subprocess.Popen[bytes], int]] = []
        self.names, self.groups, self.releases = count(), count(), count(1)
        self.profiles: dict[str, Profile] = {}

    def connect(self) -> None:
        self.producer = kafka_clients.producer(self.kafka)
        self.reader = KafkaConsumer(**kafka_clients.connection(self.kafka), auto_offset_reset="earliest")
        self.reader.assign([TopicPartition(RECOMMENDATIONS.name, at) for at in range(LISTENER_PARTITIONS)])
        self.lists: list[Recommendations] = []

    def disconnect(self) -> None:
        self.producer.close(timeout=2)
        self.reader.close()

    def close(self) -> None:
        self.end_scorers()
        self.disconnect()
        self.redis.close()

    # --- scorers

    def start(self, group: str | None = None, **settings: str) -> int:
        """A scorer; returns its metrics port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.stack.redis_url,
            "SEGUE_SCORER_METRICS_PORT": str(port), "SEGUE_SCORER_GROUP": group or f"scorer-{next(self.groups)}",
            "SEGUE_SCORER_PROBE_S": "0.3", "SEGUE_SCORER_RETRY_RELEASE_S": "300",
            "SEGUE_LIST_JUST_PLAYED": "0", "SEGUE_LIST_JUST_PLAYED_MINUTES": "0", "SEGUE_LIST_LENGTH": "8",
            **settings,
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "services.scorer"], env=environment)
        self.scorers.append((process, port))
        return port

    def end_scorers(self, number: signal.Signals = signal.SIGTERM) -> list[int]:
        """End all; returns their exit codes."""
        for process, _ in self.scorers:
            process.send_signal(number)
        codes = [process.wait(20) for process, _ in self.scorers]
        self.scorers = []
        return codes

    # --- a stand-in for profiler and trainer

    def listener(self) -> str:
        return f"listener-{next(self.names)}"

    def plays(self, user: str, *rows: int, prefix: str = "t", notify: bool = True) -> int:
        """Fold plays into a listener's profile and announce it; returns its version."""
        profile = self.profiles.setdefault(user, Profile())
        for row in rows:
            version = profile.version + 1
            fold(profile, listen(f"{prefix}{row}", NOON + version), version, TASTE)
        self.put(user)
        if notify:
            self.notice(user, profile.version)
        return profile.version

    def put(self, user: str) -> None:
        self.redis.set(profile_key(self.partition(user), user), self.profiles[user].encode())

    def notice(self, user: str, version: int) -> None:
        at = self.partition(user)
        told = ProfileChanged(user, at, version, NOON * 1000, int(time.time() * 1000))
        self.producer.send(PROFILES.name, encode(told), user.encode(), partition=at).get(10)

    @staticmethod
    def partition(user: str) -> int:
        return int(user.rpartition("-")[2]) % LISTENER_PARTITIONS

    def publish(self, prefix: str = "t") -> ReleaseAnnounced:
        """A release whose tracks' ids begin with `prefix`."""
        titles, factors, als = checkerboard_parts()
        folder = self.folder / f"release-{next(self.releases)}"
        catalogue = frame(titles).with_columns(track_id=frame(titles)["track_id"].str.replace("t", prefix))
        sha256 = write_release(folder, catalogue, factors, als)
        return ReleaseAnnounced(folder.name, folder.as_uri(), sha256, 0)

    def announce(self, announced: ReleaseAnnounced) -> str:
        self.producer.send(RELEASES.name, encode(announced), b"current").get(10)
        return announced.release_id

    # --- what came of it

    def of(self, user: str) -> list[Recommendations]:
        """Every list of a listener so far, oldest first."""
        for records in self.reader.poll(timeout_ms=50).values():
            self.lists += [decode(Recommendations, record.value) for record in records]
        return [made for made in self.lists if made.user_id == user]

    def newest(self, user: str, version: int) -> Recommendations:
        """The listener's list that reflects `version`, waited for."""
        until(lambda: any(made.profile_version >= version for made in self.of(user)), f"a list of {user}")
        return self.of(user)[-1]


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, f"waited {DEADLINE:g} s in vain for {what}"
        time.sleep(0.02)


def ready(port: int) -> dict[str, str]:
    """Why a scorer is not ready, by condition; empty when it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            report = json.load(answer)
    except urllib.error.HTTPError as error:
        report = json.load(error)
    except OSError as error:
        return {"http": str(error)}
    return {each["name"]: each["reason"] for each in report["conditions"] if not each["ok"]}


def metric(port: int, name: str) -> float:
    """Sum of the samples of one name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))
