"""Trying a call again while the broker is away, and telling of it."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from services.runtime.errors import Transient
from services.runtime.http import Health
from services.runtime.retry import keep_trying
from services.trainer.metrics import Metrics

log = logging.getLogger(__name__)

T = TypeVar("T")


class Patience:
    """Calls what it is given until that raises no Transient. Raises Stopped once `stop` is set."""

    def __init__(self, stop: threading.Event, metrics: Metrics, health: Health) -> None:
        self._stop = stop
        self._metrics = metrics
        self._health = health

    def __call__(self, call: Callable[[], T]) -> T:
        """What `call` returns, at last."""
        return keep_trying(call, self._stop, self._waiting)

    def _waiting(self, error: Transient) -> None:
        self._metrics.retried(type(error).__name__)
        self._health.beat()
        self._health.set("kafka", False, str(error))
        log.warning("%s; trying again", error)
