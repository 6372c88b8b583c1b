"""The first signal asks, the second insists; proved on a real process."""

import signal
import subprocess
import sys

import pytest

WAITER = """
import sys
from services.runtime.shutdown import stop_event
stop = stop_event()
print("ready", flush=True)
while not stop.wait(0.001):  # so often that a handler which takes the event's lock would dead-lock
    pass
print("asked", flush=True)
if "stubborn" in sys.argv:
    while True:
        stop.wait(1) and __import__("time").sleep(0.01)
print("ended", flush=True)
"""


def begin(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WAITER, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


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
