"""The first signal asks, the second insists; proved on a real process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

WAITER = """
import sys
from services.runtime.shutdown import stop_event
stop = stop_event()
print("ready", flush=True)
stop.wait()
print("asked", flush=True)
if "stubborn" in sys.argv:
    while True:
        stop.wait(1) and __import__("time").sleep(0.01)
print("ended", flush=True)
"""


@contextmanager
def begin(*arguments: str, program: str = WAITER) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_it_finish(number: signal.Signals) -> None:
    with begin() as process:
        process.send_signal(number)
        out, _ = process.communicate(timeout=10)
    assert out == "asked\nended\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_ends_it_at_once(number: signal.Signals) -> None:
    with begin("stubborn") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        process.wait(timeout=10)
    assert process.returncode == 128 + number


DEAF = """
import threading
from services.runtime.shutdown import stop_event
stop = stop_event(0.2)
stuck = threading.Thread(target=threading.Event().wait)  # no daemon: the interpreter waits for it at its end
stuck.start()
print("ready", flush=True)
stop.wait()
print("asked", flush=True)
"""


def test_one_that_cannot_end_is_ended_in_time() -> None:
    with begin(program=DEAF) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.6)  # nobody has asked
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "asked\n"


INSIDE_WAIT = """
import os, signal, time
from services.runtime.shutdown import stop_event
stop = stop_event()
with stop._cond:  # where stop.wait() is for a moment
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)
print(stop.wait(5))
"""


def test_a_signal_in_the_middle_of_a_wait_does_not_dead_lock() -> None:
    done = subprocess.run([sys.executable, "-c", INSIDE_WAIT], stdout=subprocess.PIPE, text=True, timeout=10)
    assert done.stdout == "True\n"
