"""The scorer's two loops: notices to lists, and announcements to the release in force."""

import logging
import threading
from collections.abc import Callable, Mapping
from types import TracebackType

from services.runtime.errors import Transient
from services.runtime.garbage import look_when_idle
from services.runtime.group import Member, Patience, Record
from services.runtime.http import Health
from services.scorer.app import Scorer
from services.scorer.metrics import Metrics
from services.scorer.ports import Announcements
from services.scorer.releases import Releases

TURN = 0.25  # seconds waited for a notice or an announcement: how late a stop is noticed

log = logging.getLogger(__name__)


def serve(
    scorer: Scorer,
    notices: Member,
    releases: Releases,
    metrics: Metrics,
    patiently: Patience,
    stop: threading.Event,
) -> None:
    """Make lists until `stop` is set. Before the first release nothing is taken, so nothing can be lost.

    While the broker has yet to acknowledge the lists of a batch, the next one is made, if its notices are there.
    """
    sent: list[Record] = []  # whose lists may not stand yet
    while not stop.is_set():
        if releases.current is None:
            patiently(lambda: notices.hold(TURN))
            look_when_idle()
            metrics.turned(notices.lags())
            continue
        records = patiently(lambda: notices.poll(0.0 if sent else TURN))  # noqa: B023  # it is called at once
        if given := notices.taken_over():
            scorer.take_over(given)
        if records:
            scorer.score(records, releases.current)  # the release of this moment, for the whole batch
        else:
            scorer.settle()
            if not sent:
                look_when_idle()
        notices.done(sent)  # all that was sent before the last batch stands
        sent = records
        metrics.turned(notices.lags())
    scorer.settle()
    notices.done(sent)


def follow(
    announcements: Announcements,
    releases: Releases,
    probes: Mapping[str, Callable[[], None]],
    health: Health,
    stop: threading.Event,
    probe_s: float,
    clock: Callable[[], float],
) -> None:
    """Keep the announced release in force and say which servers answer, until `stop` is set."""
    probed = clock() - probe_s
    while not stop.is_set():
        if clock() - probed >= probe_s:
            probed = clock()
            for name, ping in probes.items():
                _probe(name, ping, health)
        try:
            releases.follow(announcements.newest(TURN))
        except Transient as error:
            health.set("kafka", ok=False, reason=str(error))
            stop.wait(TURN)


class Following(threading.Thread):
    """`follow` in a thread of its own, for as long as a `with` lasts; what it dies of ends the service."""

    def __init__(
        self,
        announcements: Announcements,
        releases: Releases,
        probes: Mapping[str, Callable[[], None]],
        health: Health,
        stop: threading.Event,
        probe_s: float,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(name="releases")
        self._work = (announcements, releases, probes, health, stop, probe_s, clock)
        self._stop_event = stop
        self._died_of: Exception | None = None

    def run(self) -> None:
        """See Thread."""
        try:
            follow(*self._work)
        except Exception as error:  # noqa: BLE001  # it is raised again where it is heard
            self._died_of = error
            self._stop_event.set()

    def __enter__(self) -> "Following":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_event.set()
        self.join()
        if self._died_of is not None:
            raise self._died_of


def _probe(name: str, ping: Callable[[], None], health: Health) -> None:
    try:
        ping()
    except Transient as error:
        health.set(name, ok=False, reason=str(error))
    else:
        health.set(name, ok=True)
