"""Lines to one place, plain or JSON; a storm of equal lines stays a few."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from services.runtime.log import CHATTY, RateLimit, configure
from services.runtime.settings import LogSettings


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Whatever a test configures is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def start(settings: LogSettings, clock: Clock | None = None) -> io.StringIO:
    stream = io.StringIO()
    configure(settings, "scorer", clock or Clock(), stream)
    return stream


def test_plain_lines_name_time_level_and_logger() -> None:
    stream = start(LogSettings())
    logging.getLogger("services.scorer").info("release %s", "r1")
    line = stream.getvalue()
    assert line.endswith(" INFO    services.scorer: release r1\n")


def test_json_lines_are_objects_with_the_traceback_inside() -> None:
    stream = start(LogSettings(json=True))
    try:
        raise ValueError("bad\nthing")
    except ValueError:
        logging.getLogger("services.scorer").exception("cannot load %s", "r1")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["service"], entry["logger"]) == ("ERROR", "scorer", "services.scorer")
    assert entry["message"] == "cannot load r1"
    assert "ValueError: bad\nthing" in entry["error"]
    assert entry["time"].endswith("+00:00")


def test_the_level_holds_and_drivers_speak_up_only_to_warn() -> None:
    stream = start(LogSettings(level="DEBUG"))
    logging.getLogger("services.x").debug("ours")
    logging.getLogger("kafka.net.manager").info("theirs")
    logging.getLogger("aiokafka.consumer").warning("their warning")
    assert "ours" in stream.getvalue()
    assert "theirs" not in stream.getvalue()
    assert "their warning" in stream.getvalue()
    stream = start(LogSettings(level="ERROR"))
    logging.getLogger("kafka.net.manager").warning("their warning")
    assert stream.getvalue() == ""


def test_configuring_twice_writes_a_line_once() -> None:
    first = start(LogSettings())
    second = start(LogSettings())
    logging.getLogger("x").warning("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_a_storm_stays_a_few_lines_and_the_rest_is_counted() -> None:
    clock = Clock()
    stream = start(LogSettings(), clock)
    for number in range(900):
        clock.now += 0.005
        logging.getLogger("kafka.net.manager").error(f"Connection to node {number} failed after {number * 7} ms")
    assert stream.getvalue().count("\n") == 5
    clock.now += 10
    logging.getLogger("kafka.net.manager").error("Connection to node 901 failed after 3 ms")
    assert stream.getvalue().splitlines()[-1].endswith("failed after 3 ms (895 more like it in 10 s)")
    logging.getLogger("kafka.net.manager").error("Connection to node 902 failed after 3 ms")
    assert stream.getvalue().splitlines()[-1].endswith("902 failed after 3 ms")


def test_lines_of_another_kind_are_not_held_back() -> None:
    stream = start(LogSettings())
    for _ in range(9):
        logging.getLogger("a").warning("gone")
    logging.getLogger("b").warning("gone")
    logging.getLogger("a").error("gone")
    logging.getLogger("a").warning("came back")
    assert stream.getvalue().count("\n") == 5 + 3


def test_a_percent_sign_in_a_counted_line_does_no_harm() -> None:
    clock = Clock()
    stream = start(LogSettings(), clock)
    for _ in range(6):
        logging.getLogger("a").warning("%d%% of %s", 50, "100%s")
    clock.now += 11
    logging.getLogger("a").warning("%d%% of %s", 50, "100%s")
    assert stream.getvalue().splitlines()[-1].endswith("50% of 100%s (1 more like it in 10 s)")


def test_only_so_many_kinds_are_remembered() -> None:
    limit = RateLimit(Clock(), burst=1, kinds=2)

    def passes(text: str) -> bool:
        return limit.filter(logging.LogRecord("a", logging.INFO, "", 0, text, None, None))

    assert [passes(text) for text in ("a", "b", "a", "c", "a", "b")] == [True, True, False, True, False, True]
