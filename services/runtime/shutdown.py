"""Ending on SIGTERM or Ctrl-C: the first asks, the second insists."""

import logging
import os
import signal
import threading
from types import FrameType

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LEAVE_S = 4.5  # a graceful end takes five seconds at most, the interpreter's own included


def stop_event(leave_s: float | None = None) -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets. A second one ends the process at once with 128 + its number.

    `leave_s`: so long after the first it ends in any case, see `leave_after`. Call it once, from the main thread
    (Python's rule for signal handlers).
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
        if leave_s is not None:
            leave_after(leave_s)

    for number in SIGNALS:
        signal.signal(number, handle)
    return stop


def leave_after(seconds: float) -> None:
    """End the process then with 0, whatever it waits for: the Kafka clients wait up to 30 s for a silent broker.

    For a service that loses nothing by it, because what it has not acknowledged comes again.
    """
    timer = threading.Timer(seconds, _leave, (seconds,))
    timer.daemon = True
    timer.start()


def _leave(seconds: float) -> None:
    log.warning("left after %g s, before all was closed; what was not acknowledged comes again", seconds)
    os._exit(0)


def _ask(stop: threading.Event, number: int) -> None:
    stop.set()
    log.info("%s: finishing what is begun; send it again to end at once", signal.Signals(number).name)
