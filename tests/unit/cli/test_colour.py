"""Colour on a terminal, and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest

from tests.unit.cli.conftest import Segue
from tests.unit.cli.test_commands import EVERY, ids

ESCAPE = "\x1b["
WRONG = [sys.executable, "-m", "services.cli", "topics", "plan"]


def on_a_terminal(environment: dict[str, str]) -> str:
    """What a command that cannot work says on a terminal."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(WRONG, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, timeout=30)
        assert done.returncode == 2
        return os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.fixture
def environment() -> dict[str, str]:
    plain = {n: v for n, v in os.environ.items() if not n.startswith(("SEGUE_", "NO_COLOR", "FORCE_COLOR"))}
    return {**plain, "SEGUE_KAFKA_BOOTSTRAP": "kafka", "TERM": "xterm-256color"}


def test_on_a_terminal_an_error_is_red(environment: dict[str, str]) -> None:
    assert on_a_terminal(environment).startswith(f"{ESCAPE}31msegue: SEGUE_KAFKA_BOOTSTRAP='kafka'")


def test_no_color_is_obeyed(environment: dict[str, str]) -> None:
    assert ESCAPE not in on_a_terminal({**environment, "NO_COLOR": "1"})


def test_in_a_pipe_it_is_plain(environment: dict[str, str]) -> None:
    done = subprocess.run(WRONG, capture_output=True, text=True, env=environment, timeout=30)
    assert done.stderr == "segue: SEGUE_KAFKA_BOOTSTRAP='kafka': 'kafka' is not host:port\n"


@pytest.mark.parametrize("path", EVERY, ids=ids)
def test_help_in_a_pipe_is_plain(segue: Segue, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]) -> None:
    assert ESCAPE not in segue(*path, "--help").out
    assert ESCAPE not in segue(*path, "--no-such-option").err
