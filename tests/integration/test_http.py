"""The server of /metrics, /livez and /readyz over real sockets; it lets go of its port."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import Metric

from services.runtime.errors import Fatal
from services.runtime.http import Health, Server


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def get(server: Server, path: str, accept: str = "") -> tuple[int, str, str]:
    """Status, content type, body."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # ours
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers["Content-Type"], answer.read().decode()


class Broken:
    def collect(self) -> Iterator[Metric]:
        raise OSError("no")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("release", clock=clock, stale_after=5)


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("segue_listens", "Listens.", registry=registry).inc(3)
    return registry


@pytest.fixture
def server(health: Health, registry: CollectorRegistry) -> Iterator[Server]:
    with Server(health, registry) as server:
        yield server


def test_livez_is_503_once_the_loop_stands_still(server: Server, clock: Clock) -> None:
    assert get(server, "/livez")[0] == 200
    clock.now += 5
    status, kind, body = get(server, "/livez")
    assert (status, kind) == (503, "application/json")
    assert json.loads(body)["conditions"][0]["name"] == "loop"


def test_readyz_lists_each_condition_with_its_reason(server: Server, health: Health) -> None:
    health.set("release", False, "no release yet")
    status, _, body = get(server, "/readyz?verbose")
    assert status == 503
    assert json.loads(body) == {
        "ok": False,
        "conditions": [
            {"name": "loop", "ok": True, "reason": ""},
            {"name": "release", "ok": False, "reason": "no release yet"},
        ],
    }
    health.set("release", True)
    assert get(server, "/readyz")[0] == 200


def test_metrics_are_what_the_scraper_asks_for(server: Server) -> None:
    status, kind, body = get(server, "/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert "segue_listens_total 3.0" in body
    status, kind, body = get(server, "/metrics", "application/openmetrics-text; version=1.0.0")
    assert (status, kind.split(";")[0]) == (200, "application/openmetrics-text")
    assert body.endswith("# EOF\n")


def test_a_collector_that_fails_is_a_500_and_the_server_lives_on(
    server: Server, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken()
    registry.register(broken)
    assert get(server, "/metrics")[0] == 500
    assert "a collector failed" in caplog.text
    assert get(server, "/livez")[0] == 200


def test_any_other_path_is_told_what_there_is(server: Server) -> None:
    status, _, body = get(server, "/")
    assert status == 404
    assert "/readyz" in body


def test_a_taken_port_is_named(server: Server, health: Health, registry: CollectorRegistry) -> None:
    with pytest.raises(Fatal, match=f"cannot serve /metrics on 127.0.0.1:{server.port}: .*; set another port"):
        Server(health, registry, server.port)
    with pytest.raises(Fatal, match=r"cannot serve .*:70000"):
        Server(health, registry, 70_000)


def test_closing_frees_the_port_and_the_thread(health: Health, registry: CollectorRegistry) -> None:
    before = threading.active_count()
    server = Server(health, registry)
    with socket.create_connection(("127.0.0.1", server.port)):  # a client that says nothing does not hold it open
        server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
        pass
    Server(health, registry, server.port).close()
    assert threading.active_count() <= before + 1
