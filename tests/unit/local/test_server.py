"""Starting, failing to start, and finding a port, with a three-line server in place of Kafka."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local import server as server_module
from services.local.errors import LocalError, StartError
from services.local.ports import HOST, free_port
from services.local.process import Child
from services.local.server import Server

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


class Tiny(Server):
    name = "tiny"
    program = LISTEN

    def _spawn(self, port: int, hold: list[int]) -> Child:
        command = (sys.executable, "-c", self.program, str(port))
        return Child(command, log=self.log, cwd=self.folder, hold=hold)

    def _answers(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), 1).close()
        except OSError:
            return False
        return self.alive


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    server = Tiny(tmp_path / "tiny")
    yield server
    server.kill()


def test_a_failed_start_carries_the_end_of_the_log(tiny: Tiny) -> None:
    tiny.program = "raise ValueError('a bad property')"

    with pytest.raises(StartError, match=r"(?s)tiny ended with code 1; .*ValueError: a bad property"):
        tiny.start()

    assert not tiny.alive


def test_a_server_that_never_answers_is_killed(tiny: Tiny) -> None:
    tiny.program = "import time; print('thinking', flush=True); time.sleep(60)"

    with pytest.raises(StartError, match=r"(?s)tiny did not answer in time; .*thinking"):
        tiny.start(timeout_s=0.5)

    assert not tiny.alive


def test_a_crash_and_a_restart_keep_the_port(tiny: Tiny) -> None:
    tiny.start()
    port, pid = tiny.port, tiny.process.pid

    tiny.kill()
    assert not tiny.alive
    tiny.start()

    assert tiny.port == port
    assert tiny.process.pid != pid
    tiny.restart()
    assert tiny.port == port


def test_pause_freezes_and_resume_thaws(tiny: Tiny) -> None:
    tiny.start()

    tiny.pause()
    deadline = time.monotonic() + 5
    while tiny.process.status() != "stopped":
        assert time.monotonic() < deadline
    tiny.resume()

    tiny.stop(grace_s=5)
    assert not tiny.alive


def test_a_free_port_lost_to_another_process_is_replaced(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, free_port())) as other:
        taken = other.getsockname()[1]
        ports = iter([taken, free_port()])
        monkeypatch.setattr(server_module, "free_port", lambda: next(ports))
        monkeypatch.setattr(Tiny, "_answers", lambda self: self.port != taken and self.alive)

        tiny.start()

        assert tiny.port != taken


def test_a_given_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server((HOST, free_port())) as other:
        port = other.getsockname()[1]

        with pytest.raises(StartError, match=f"port {port} is taken"):
            Tiny(tmp_path, port).start()


def test_two_servers_cannot_share_a_folder(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CLAIM_TIMEOUT_S", 0.1)
    tiny.start()

    with pytest.raises(StartError, match="another tiny uses"):
        Tiny(tiny.folder).start()

    tiny.stop()
    again = Tiny(tiny.folder)
    again.start()
    again.stop()


def test_a_server_starts_once(tiny: Tiny) -> None:
    tiny.start()

    with pytest.raises(LocalError, match="runs already"):
        tiny.start()


def test_one_that_ended_by_itself_is_noticed(tiny: Tiny) -> None:
    tiny.start()
    tiny.check_alive()

    process = tiny.process  # it cannot be looked up once it has ended
    process.kill()
    process.wait(5)
    deadline = time.monotonic() + 5
    while tiny.alive and time.monotonic() < deadline:  # its guard has yet to say so
        time.sleep(0.02)

    with pytest.raises(StartError, match="tiny ended with code 137"):
        tiny.check_alive()
