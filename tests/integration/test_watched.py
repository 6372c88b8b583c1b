"""A real Prometheus scrapes the real services by our rules; it fires when a profiler is stopped, and stops again."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import encode
from schemas.events import Listen
from schemas.topics import LISTENS
from services.local.ports import free_port
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.settings import KafkaSettings
from tests.prometheus import program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"
JOBS = ("profiler", "trainer", "scorer", "outcomes")
DEADLINE = 120.0  # seconds; this may run beside others
LISTENERS, LISTENED = 6, 240
# What no healthy system of a few minutes and six listeners has: a failure, last week, a release that could be judged.
NOT_YET = {
    "A week ago", "Hit rate, 1 d", "Hits, by source", "Hits, by rank", "Skipped, of the hits", "Hit rate, by variant",
    "Hit rate, by release", "Hit rate, 1 h", "All that was played", "Tracks that were new to the listener", "Releases",
    "Batch size", "Bytes a profile", "Ahead of the one in force and of baselines",
}  # fmt: skip


class Watched:
    """The four services, and a Prometheus that watches them every second."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        self.environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_REDIS_URL": stack.redis_url,
            "SEGUE_TRAINER_HISTORY": str(folder / "history"), "SEGUE_TRAINER_RELEASES": str(folder / "releases"),
            "SEGUE_TRAINER_EVERY_LISTENS": str(LISTENED), "SEGUE_TRAINER_MIN_LISTENS": str(LISTENED),
            "SEGUE_TRAINER_FLUSH_SECONDS": "1", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_OUTCOMES_SETTLE_MS": "100",
        }  # fmt: skip
        self.ports = {job: free_port() for job in JOBS}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.producer = kafka_clients.producer(self.kafka)
        self.sent = 0
        self.url = f"http://127.0.0.1:{free_port()}"
        self.prometheus = self._watch(folder)

    def _watch(self, folder: Path) -> subprocess.Popen[bytes]:
        """Our rules as they are, but for how long a condition must last: a test cannot wait for hours."""
        scrapes = [
            f"  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}"
            for job, port in self.ports.items()
        ]
        for path in (FOLDER / "prometheus" / "rules").glob("*.yml"):
            text = re.sub(r"(?m)^        for: \w+$", "        for: 2s", path.read_text(encoding="utf-8"))
            text = re.sub(r"(?m)^    interval: \w+$", "    interval: 1s", text)
            (folder / path.name).write_text(text, encoding="utf-8")
        every = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}"
        settings = [every, "rule_files: ['*.yml']", "scrape_configs:", *scrapes]
        (folder / "settings").write_text("\n".join(settings) + "\n", encoding="utf-8")
        command = [
            program("prometheus"), f"--config.file={folder / 'settings'}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn",
            f"--web.external-url={self.url}", "--web.route-prefix=/",
            f"--web.user-assets={FOLDER / 'prometheus' / 'pages'}",
        ]  # fmt: skip
        return subprocess.Popen(command, cwd=folder)

    def start(self, job: str) -> None:
        settings = self.environment | {f"SEGUE_{job.upper()}_METRICS_PORT": str(self.ports[job])}
        self.processes[job] = subprocess.Popen([sys.executable, "-W", "ignore", "-m", f"services.{job}"], env=settings)

    def stop(self, job: str) -> None:
        process = self.processes.pop(job)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        self.producer.close()
        for job in list(self.processes):
            self.stop(job)
        self.prometheus.terminate()
        self.prometheus.wait(20)

    def listen(self, count: int) -> None:
        for at in range(self.sent, self.sent + count):
            user = f"listener-{at % LISTENERS}"
            event = Listen(f"e{at}", user, f"t{at % 31}", int(time.time() * 1000) - 1000 * LISTENED + at * 1000)
            self.producer.send(LISTENS.name, encode(event), user.encode()).get(20)
        self.sent += count

    def get(self, path: str, **words: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(words)}", timeout=5) as answer:  # noqa: S310  # ours
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        return [float(each["value"][1]) for each in self.get("/api/v1/query", query=expression)["result"]]

    def firing(self, name: str) -> list[dict[str, Any]]:
        """Of an alert: one that asks of several conditions or services fires for each."""
        return [each for each in self.all_firing() if each["labels"]["alertname"] == name]

    def all_firing(self) -> list[dict[str, Any]]:
        return [each for each in self.get("/api/v1/alerts")["alerts"] if each["state"] == "firing"]

    def not_ready(self) -> set[str]:
        return {alert["labels"]["condition"] for alert in self.firing("SegueNotReady")}


def until(holds: Callable[[], object], what: str, seen: Callable[[], object] = str) -> None:
    end = time.monotonic() + DEADLINE
    while True:
        try:
            if holds():
                return
        except OSError:
            pass  # it is still starting
        assert time.monotonic() < end, f"waited {DEADLINE:g} s for {what}: {seen()}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program("prometheus")  # before anything is started
    with LocalStack() as stack:
        world = Watched(stack, tmp_path_factory.mktemp("watched"))
        try:
            for job in JOBS:
                world.start(job)
            yield world
        finally:
            world.close()


def test_every_service_is_scraped_and_the_rules_work_on_what_they_say(watched: Watched) -> None:
    until(lambda: len(watched.values("up == 1")) == len(JOBS), "all four to be up", watched.all_firing)
    assert not [group for group in watched.get("/api/v1/rules")["groups"] if group.get("lastError")]
    # No release yet: the scorer says so, and after the time allowed an alert does.
    until(lambda: "release" in watched.not_ready(), "the scorer's want of a release to be noticed", watched.all_firing)
    watched.listen(LISTENED)
    until(lambda: watched.values("segue_scorer_release_info"), "a release", watched.all_firing)
    watched.listen(10)

    def fresh() -> bool:
        watched.listen(1)
        return bool(watched.values("segue:list_freshness_seconds:p50_5m > 0")) and bool(
            watched.values("segue:lists:rate5m > 0") and watched.values("segue:listens:rate5m > 0")
        )

    until(fresh, "lists and their freshness")
    assert len(watched.values("segue_profiler_lag_records")) == LISTENS.partitions
    assert len(watched.values('segue:stage_seconds:mean5m{job="profiler"}')) == 4
    until(lambda: not watched.values("segue_condition_ok == 0"), "every condition to hold")
    until(lambda: not watched.not_ready(), "the alert to end", watched.all_firing)


def test_each_panel_of_the_dashboards_asks_what_prometheus_can_answer(watched: Watched) -> None:
    panels = [
        panel
        for path in (FOLDER / "grafana" / "dashboards").glob("*.json")
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    ]

    def empty() -> set[str]:
        watched.listen(1)
        return {p["title"] for p in panels for t in p.get("targets", ()) if not watched.values(t["expr"])}

    until(lambda: empty() <= NOT_YET, "every panel but those of rare things to show something", empty)


def test_a_stopped_profiler_fires_an_alert_that_ends_when_it_is_back(watched: Watched) -> None:
    assert not watched.firing("SegueProfilerDown")
    watched.stop("profiler")
    until(lambda: watched.firing("SegueProfilerDown"), "the alert", watched.all_firing)
    (alert,) = watched.firing("SegueProfilerDown")
    assert alert["labels"]["severity"] == "critical"
    page, _, section = alert["annotations"]["runbook_url"].partition("#")
    with urllib.request.urlopen(page, timeout=5) as answer:  # noqa: S310  # ours
        assert answer.headers.get_content_type() == "text/html"
        assert f'<h3 id="{section}">SegueProfilerDown</h3>' in answer.read().decode()
    watched.listen(3)  # they wait in the log
    watched.start("profiler")
    until(lambda: not watched.firing("SegueProfilerDown"), "the alert to end", watched.all_firing)
    until(lambda: watched.values("sum(segue_profiler_listens_total) >= 3"), "the listens to be folded")
