"""Logging to stderr, plain or JSON, in which a storm of equal lines stays a few lines."""

import logging
import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from services.runtime.settings import LogSettings

# These tell of every connection attempt; a broker away for three seconds made about 900 lines.
CHATTY = ("kafka", "aiokafka", "faust", "mode")
PLAIN = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NUMBER = re.compile(r"\d+")


def configure(settings: LogSettings, service: str, clock: Callable[[], float], stream: TextIO | None = None) -> None:
    """Send everything logged to `stream` (standard error), replacing what was configured before.

    `clock` gives seconds (time.monotonic) and paces the rate limit.
    """
    level = logging.getLevelNamesMapping()[settings.level]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service) if settings.json else logging.Formatter(PLAIN))
    handler.addFilter(RateLimit(clock))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class RateLimit(logging.Filter):
    """Let `burst` lines of a kind through every `window` seconds, then one that says how many were held back.

    Of a kind are lines of one logger and level that differ in numbers only. At most `kinds` are remembered.
    """

    def __init__(self, clock: Callable[[], float], burst: int = 5, window: float = 10.0, kinds: int = 1_000) -> None:
        super().__init__()
        self._clock = clock
        self._burst = burst
        self._window = window
        self._kinds = kinds
        self._seen: OrderedDict[tuple[str, int, str], tuple[float, int]] = (
            OrderedDict()
        )  # kind -> window's start, lines

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is written; the first after a silence tells how many were not."""
        kind = (record.name, record.levelno, NUMBER.sub("#", str(record.msg)[:200]))
        now = self._clock()
        start, lines = self._seen.pop(kind, (now, 0))
        held = 0
        if now - start >= self._window:
            held = max(0, lines - self._burst)
            start, lines = now, 0
        self._seen[kind] = (start, lines + 1)
        if len(self._seen) > self._kinds:
            self._seen.popitem(last=False)
        if held:
            record.msg = f"{record.getMessage()} ({held} more like it in {self._window:g} s)"
            record.args = None
        return lines < self._burst


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, service, logger, message, and error (the traceback) if any."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON object without a line break."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
