"""The loop: listens to outcomes, until told to stop."""

import threading
from collections.abc import Callable

from services.outcomes.app import Outcomes
from services.outcomes.metrics import Metrics
from services.outcomes.standing import Standing
from services.runtime.errors import Stopped
from services.runtime.group import Member, Patience

TURN = 0.25  # seconds waited for a listen: how late a stop is noticed
HOLD_S = 1.0  # while many lists are read, the group hears of this member so often …
JOIN_S = 0.1  # … for so long: a rebalance that ends in shorter looks begins again (services/runtime/kafka_clients.py)


def serve(
    outcomes: Outcomes,
    listens: Member,
    standing: Standing,
    metrics: Metrics,
    patiently: Patience,
    stop: threading.Event,
    probe_s: float,
    clock: Callable[[], float],
) -> None:
    """Judge listens until `stop` is set. Raises Stopped when it is set while the broker is away."""
    probed = clock()
    while not stop.is_set():
        records = patiently(lambda: listens.poll(TURN))
        owned = listens.owned()
        if owned:  # none at all in the midst of a rebalance: what comes of it is not known yet
            outcomes.following.keep(owned)
        if records:
            outcomes.take(records)
            listens.done(records)
            probed = clock()
        elif owned and clock() - probed >= probe_s:
            outcomes.following.look()
            metrics.answered()
            probed = clock()
        metrics.turned(listens.lags(), len(standing), assigned=bool(owned))


class GoingOn:
    """Called between two reads of a long run of lists: stays in the group and alive, and ends when told to."""

    def __init__(self, listens: Member, metrics: Metrics, stop: threading.Event, clock: Callable[[], float]) -> None:
        self._listens, self._metrics, self._stop, self._clock = listens, metrics, stop, clock
        self._held = clock()

    def __call__(self) -> None:
        """Raises Stopped."""
        if self._stop.is_set():
            raise Stopped("told to stop while the lists of old were read")
        self._metrics.health.beat()
        if self._clock() - self._held >= HOLD_S:
            self._listens.hold(JOIN_S)
            self._held = self._clock()
