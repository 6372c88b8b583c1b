"""Ending on SIGTERM or Ctrl-C: the first asks, the second insists."""

import logging
import os
import signal
import threading
from types import FrameType

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def stop_event() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets. A second one ends the process at once with 128 + its number.

    Call it once, from the main thread (Python's rule for signal handlers).
    """
    stop = threading.Event()
    asked = False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        # Not set here: the main thread may be inside stop.wait() holding the event's lock, which is not re-entrant.
        threading.Thread(target=_ask, args=(stop, number), name="shutdown", daemon=True).start()

    for number in SIGNALS:
        signal.signal(number, handle)
    return stop


def _ask(stop: threading.Event, number: int) -> None:
    stop.set()
    log.info("%s: finishing what is begun; send it again to end at once", signal.Signals(number).name)
