"""The services as the demo starts them: what was set for another broker does not reach them."""

import asyncio
import sys
from pathlib import Path

import pytest

from models.sources.settings import BadSources
from services.demo import processes
from services.demo.processes import Service, check_settings
from services.runtime.errors import Fatal
from services.runtime.settings import BadSetting

SHOW = "import os, time\nprint(sorted(n for n in os.environ.items() if n[0].startswith('SEGUE_')), flush=True)\n"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for Python: whatever it is told to run, it runs this script."""
    path = tmp_path / "python"
    monkeypatch.setattr(processes, "executable", str(path))
    return path


def write(path: Path, code: str) -> None:
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o755)


def test_its_servers_ask_for_no_password(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECURITY": "SASL_SSL", "USER": "ann", "PASSWORD": "hush", "BOOTSTRAP": "far:9092"}.items():
        monkeypatch.setenv(f"SEGUE_KAFKA_{name}", value)
    monkeypatch.setenv("SEGUE_LIST_LENGTH", "7")
    write(script, SHOW)
    Service("scorer", tmp_path, {"SEGUE_KAFKA_BOOTSTRAP": "here:1"})._child.wait(20)
    said = (tmp_path / "scorer.log").read_text()
    assert "('SEGUE_KAFKA_SECURITY', 'PLAINTEXT')" in said
    assert "('SEGUE_KAFKA_BOOTSTRAP', 'here:1')" in said
    assert "('SEGUE_LIST_LENGTH', '7')" in said  # what is meant for the services stays
    assert "hush" not in said
    assert "far" not in said


def test_a_service_that_ended_is_told_with_its_last_words(script: Path, tmp_path: Path) -> None:
    write(script, "import sys\nsys.exit('no more disk')\n")
    service = Service("trainer", tmp_path, {})
    with pytest.raises(Fatal, match=r"the trainer ended with exit code 1; the end of its log:\nno more disk"):
        asyncio.run(service.ready(20))


def test_a_service_that_is_not_ready_in_time_says_so(script: Path, tmp_path: Path) -> None:
    write(script, "import time\ntime.sleep(60)\n")
    service = Service("scorer", tmp_path, {})
    try:
        with pytest.raises(Fatal, match="the scorer is not ready after 0 s"):
            asyncio.run(service.ready(0.2))
    finally:
        service.stop(5)


def test_one_that_does_not_listen_is_killed(script: Path, tmp_path: Path) -> None:
    write(
        script,
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)\n",
    )
    service = Service("scorer", tmp_path, {})
    while "up" not in service._child.tail():
        assert service._child.poll() is None
    service.stop(0.2)
    assert service._child.poll() == 128 + 9


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("SEGUE_NOTHING", "1", BadSetting),
        ("SEGUE_TRAINER_NICE", "50", BadSetting),
        ("SEGUE_LIST_SOURCES", "als", BadSources),
    ],
)
def test_what_would_end_a_service_is_found_first(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, error: type[Exception]
) -> None:
    check_settings()
    monkeypatch.setenv(name, value)
    with pytest.raises(error, match=name):
        check_settings()
