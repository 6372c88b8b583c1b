"""A child ends with its owner. The children here are small Python programs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from services.local.errors import StartError
from services.local.process import Child

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
OWNER = """
import sys, time
from pathlib import Path
from services.local.process import Child
folder = Path(sys.argv[1])
child = Child(sys.argv[2:], log=folder / "log", cwd=folder, remove=folder)
print(child.pid, flush=True)
time.sleep(60)
"""


def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def child(folder: Path, *command: str) -> Child:
    return Child(command, log=folder / "log", cwd=folder)


def test_an_exit_code_and_the_end_of_the_log_are_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an earlier run\n")
    run = child(tmp_path, sys.executable, "-c", "print('a reason'); raise SystemExit(3)")

    assert run.wait(10) == 3
    assert run.tail() == "a reason"


def test_a_command_that_is_not_there_is_a_start_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"No such file or directory: '/no/such/program'"):
        child(tmp_path, "/no/such/program")


def test_kill_leaves_no_process(tmp_path: Path) -> None:
    run = child(tmp_path, *SLEEP)
    assert run.poll() is None

    run.kill()

    assert run.poll() == 128 + signal.SIGKILL
    assert gone(run.pid)


def test_terminate_ends_a_paused_command(tmp_path: Path) -> None:
    run = child(tmp_path, *SLEEP)
    run.pause()

    run.terminate()

    assert run.wait(5) == 128 + signal.SIGTERM


THREADS = """
import pathlib, sys, threading, time
def write(path):
    while True:
        path.write_text(str(time.monotonic_ns()))
        time.sleep(0.001)
for number in range(20):
    threading.Thread(target=write, args=(pathlib.Path(sys.argv[1]) / str(number),), daemon=True).start()
time.sleep(60)
"""


def test_every_thread_of_a_paused_command_stands_still(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.mkdir()
    run = child(tmp_path, sys.executable, "-c", THREADS, str(said))
    try:
        assert eventually(lambda: len(list(said.iterdir())) == 20)
        for _ in range(20):
            run.pause()
            before = [path.stat().st_mtime_ns for path in said.iterdir()]
            time.sleep(0.01)
            assert [path.stat().st_mtime_ns for path in said.iterdir()] == before
            run.resume()
            time.sleep(0.005)
    finally:
        run.kill()


def test_pausing_a_command_that_has_ended_is_nothing(tmp_path: Path) -> None:
    run = child(tmp_path, *SLEEP)
    run.kill()
    run.pause(patience_s=0.0)  # StartError, if it waited for what is gone to stand still
    assert run.poll() is not None


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[Child] = []
    thread = threading.Thread(target=lambda: started.append(child(tmp_path, *SLEEP)))
    thread.start()
    thread.join()
    time.sleep(0.2)

    assert started[0].poll() is None
    started[0].kill()


def test_a_child_is_not_in_the_process_group_that_ctrl_c_reaches(tmp_path: Path) -> None:
    run = child(tmp_path, *SLEEP)

    assert os.getpgid(run.pid) != os.getpgid(0)
    assert os.getsid(run.pid) != os.getsid(0)
    run.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal")
def test_a_child_dies_with_its_guard(tmp_path: Path) -> None:
    run = child(tmp_path, *SLEEP)

    run._guard.kill()

    assert eventually(lambda: gone(run.pid))
    run.kill()


def test_a_child_and_its_folder_are_gone_after_the_owner_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", OWNER, folder, *SLEEP], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()

    assert eventually(lambda: gone(pid) and not folder.exists())


def test_what_a_server_forked_goes_with_it(tmp_path: Path) -> None:
    forks = "import os, time; pid = os.fork(); pid and print(pid, flush=True); time.sleep(60)"
    run = child(tmp_path, sys.executable, "-c", forks)
    assert eventually(lambda: run.tail() != "")
    forked = int(run.tail())

    run.kill()

    assert eventually(lambda: gone(forked))
