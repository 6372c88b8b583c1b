"""What a container's health check asks, and how it ends."""

import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry

from services.runtime.http import Health, Server
from services.runtime.probe import probe


def test_a_service_that_is_there_is_told_from_one_that_is_not() -> None:
    health = Health("redis", clock=lambda: 0.0)
    with Server(health, CollectorRegistry()) as server:
        url = f"http://127.0.0.1:{server.port}"
        assert probe(f"{url}/livez") == ""
        health.set("redis", ok=False, reason="Redis is away")
        assert "answered 503" in probe(f"{url}/readyz")
        assert "Redis is away" in probe(f"{url}/readyz")
    assert f"{url}/livez: " in probe(f"{url}/livez")


@pytest.mark.parametrize("url", ["localhost:9103", "ftp://host/livez", "http://:1/"])
def test_what_is_no_url_is_said_to_be_none(url: str) -> None:
    assert "is not an http URL" in probe(url)


def test_as_a_command_it_ends_with_one_and_says_why() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.runtime.probe", "http://127.0.0.1:1/livez"], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "127.0.0.1:1/livez" in ended.stderr
