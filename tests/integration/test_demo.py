"""`segue demo` as people run it: a process from its start to its figures, and nothing of it left afterwards."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

PATIENCE_S = 120.0  # for a step, on a machine that does much else
END_S = 15.0  # from Ctrl-C to the end


class Demo:
    """One running `segue demo --json`."""

    def __init__(self, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
        # What a user has set for a broker of their own must not get in the way.
        environment |= {"SEGUE_KAFKA_SECURITY": "SASL_SSL", "SEGUE_KAFKA_USER": "ann", "SEGUE_KAFKA_PASSWORD": "x"}
        command = [sys.executable, "-m", "services.cli", "demo", "--json", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0, cwd=temporary.parent,
            env={**environment, "TMPDIR": str(temporary)},
        )  # fmt: skip
        self.said: list[str] = []

    def until(self, words: str) -> None:
        """Read what it says until it says these words."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}:\n{''.join(self.said)}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, within_s: float = PATIENCE_S) -> tuple[int, str, str]:
        """Exit code and both outputs, once it has ended."""
        out, err = self.process.communicate(timeout=within_s)
        return self.process.returncode, out, "".join(self.said) + err

    def interrupt(self) -> tuple[int, str, str]:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.end(END_S)


@contextmanager
def demo(tmp_path: Path, *arguments: str) -> Iterator[Demo]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running = Demo(temporary, *arguments)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def names(processes: list[psutil.Process]) -> set[str]:
    """What runs: java, redis-server, and the services by name."""
    lines = [" ".join(process.cmdline()) for process in processes]
    return {name for name in ("java", "redis-server", "profiler", "trainer", "scorer") if any(name in x for x in lines)}


def nothing_left(running: Demo, children: list[psutil.Process]) -> None:
    assert eventually(lambda: not any(child.is_running() for child in children)), [str(c) for c in children]
    assert list(running.temporary.iterdir()) == []


def figures(out: str) -> dict[str, Any]:
    """The one line of standard output."""
    lines = out.splitlines()
    assert len(lines) == 1
    found: dict[str, Any] = json.loads(lines[0])
    return found


def test_a_whole_run(tmp_path: Path) -> None:
    arguments = ("--for", "5s", "--listeners", "60", "--days", "5", "--rate", "40")
    with demo(tmp_path, *arguments) as running:
        running.until("listens/s live")
        children = running.children()
        assert names(children) == {"java", "redis-server", "profiler", "trainer", "scorer"}
        code, out, err = running.end()
    assert code == 0, err
    found = figures(out)
    assert 190 <= found["listens"] <= 200
    assert (found["unanswered"], found["dead"], found["bad"]) == (0, 0, 0)
    assert 100 <= found["lists"] <= found["listens"]  # listens that came together share a list
    assert 50 <= found["listeners"] <= 60
    assert found["imported"] > 1_000
    assert found["tracks"] > 1_000
    assert re.fullmatch(r"\d{8}-\d{6}-\d{3}", found["release"])
    assert found["seconds"].keys() >= {"broker", "import", "train", "first_list", "live_list"}
    # What is waited for may be there already: the first list, or everybody's, as soon as the scorer is ready.
    assert all(seconds >= 0 for seconds in found["seconds"].values())
    assert all(found["seconds"][step] > 0 for step in ("broker", "import", "train"))
    assert found["seconds"]["live_list"] > found["seconds"]["train"]
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p95"] <= found["latency_ms"]["p99"]
    assert 0.05 < found["hit_rate_at_20"] < 1  # what is played at random is never in a list
    assert "export SEGUE_KAFKA_BOOTSTRAP=127.0.0.1:" in err
    nothing_left(running, children)


def test_ctrl_c_before_there_is_a_list(tmp_path: Path) -> None:
    with demo(tmp_path, "--listeners", "60", "--days", "5") as running:
        running.until("training the first release")
        children = running.children()
        assert {"java", "redis-server", "trainer"} <= names(children)
        code, out, err = running.interrupt()
    assert code == 130
    assert out == ""
    assert "Traceback" not in err
    nothing_left(running, children)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """30 listeners of two camps, 60 plays each, and one line that is no listen."""
    lines = ["user,time,artist,track"]
    for turn in range(60):
        for user in range(30):
            song = 40 * (user % 2) + (7 * turn + user * user) % 40
            lines.append(f"listener-{user},{1_700_000_000 + 3600 * turn + 60 * user},band-{song % 20},song-{song}")
    path = tmp_path / "plays.csv"
    path.write_text("\n".join([*lines, "listener-1,yesterday,band-1,song-1"]) + "\n")
    return path


def test_ctrl_c_ends_the_listening_to_a_real_log_with_its_figures(tmp_path: Path, log: Path) -> None:
    with demo(tmp_path, "--listens", str(log), "--for", "10m", "--rate", "40") as running:
        running.until("listens/s live")
        children = running.children()
        time.sleep(2)
        code, out, err = running.interrupt()
    assert code == 0, err
    found = figures(out)
    assert (found["imported"], found["tracks"], found["bad"]) == (900, 80, 1)
    assert 10 < found["listens"] < 40 * END_S
    assert (found["unanswered"], found["dead"], found["listeners"]) == (0, 0, 30)
    assert "Traceback" not in err
    nothing_left(running, children)


def test_killed_it_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path, "--listeners", "60", "--days", "5") as running:
        running.until("importing")
        assert eventually(lambda: {"java", "profiler", "trainer", "scorer"} <= names(running.children()))
        children = running.children()
        running.process.kill()
        running.process.wait()
        assert eventually(lambda: not any(child.is_running() for child in children))
        assert eventually(lambda: list(running.temporary.iterdir()) == [])
