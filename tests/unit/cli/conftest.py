"""Runs the command line in this process as a shell would: arguments in, exit code and both outputs out."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from services.cli.__main__ import main
from services.runtime import kafka_clients


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def one_line(self) -> str:
        """Standard error without the box that usage errors stand in."""
        return " ".join(self.err.replace("│", " ").split())


class Segue(Protocol):
    def __call__(self, *arguments: str) -> Said: ...


@pytest.fixture
def segue(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Segue:
    """`segue …` in an empty folder, without any setting of this machine."""
    for name in [name for name in os.environ if name.startswith("SEGUE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGUE_STATE", str(tmp_path / "state"))

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["segue", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        code = ended.value.code
        if isinstance(code, str):  # what Python itself would do with sys.exit("text")
            return Said(1, out, f"{err}{code}\n")
        return Said(code or 0, out, err)

    return run


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address where nobody listens, found out in half a second."""
    monkeypatch.setattr(kafka_clients, "BOOTSTRAP_MS", 500)
    with socket.socket() as held:  # bound but not listening: refused, and nobody else can take it
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("SEGUE_KAFKA_BOOTSTRAP", address)
        yield address


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address where somebody listens who never says a word."""
    monkeypatch.setattr(kafka_clients, "BOOTSTRAP_MS", 500)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("SEGUE_KAFKA_BOOTSTRAP", address)
        yield address
