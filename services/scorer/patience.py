"""Holding on while Redis or the broker is away."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from services.runtime.errors import Transient
from services.runtime.retry import keep_trying
from services.scorer.metrics import Metrics
from services.scorer.ports import Notices

T = TypeVar("T")

log = logging.getLogger(__name__)


class Patient:
    """The `Patience` port: backs off until the call succeeds, staying in the group of `notices` meanwhile."""

    def __init__(self, metrics: Metrics, stop: threading.Event) -> None:
        self._metrics, self._stop = metrics, stop
        self.notices: Notices | None = None  # once there are any

    def __call__(self, call: Callable[[], T], /) -> T:
        """What the call returns in the end. Raises Stopped."""
        try:
            return call()  # the common case pays for no retrying
        except Transient as error:
            self._on_retry(error)
        return keep_trying(call, self._stop, self._on_retry)

    def _on_retry(self, error: Transient) -> None:
        log.warning("holding the notices: %s", error)
        self._metrics.retried(error)
        if self.notices is not None:
            with suppress(Transient):
                self.notices.hold(0.0)  # a member that asks for nothing is taken for dead after five minutes
