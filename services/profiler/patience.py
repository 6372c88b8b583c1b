"""Holding the listens while Redis or the broker is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from services.profiler.metrics import Metrics
from services.runtime.errors import Transient
from services.runtime.garbage import look_when_idle
from services.runtime.retry import keep_trying_async

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Patiently:
    """Calls a port again and again while its server is away; raises Stopped instead once `stop` is set."""

    def __init__(self, metrics: Metrics, stop: asyncio.Event) -> None:
        self._metrics, self._stop = metrics, stop

    async def __call__(self, call: Callable[P, Awaitable[T]], *arguments: P.args, **named: P.kwargs) -> T:
        """What the call returns in the end; the offsets are held meanwhile."""
        try:
            return await call(*arguments, **named)  # the common case pays for no retrying
        except Transient as error:
            self._on_retry(error)
        return await keep_trying_async(lambda: call(*arguments, **named), self._stop, self._on_retry)

    def _on_retry(self, error: Transient) -> None:
        log.warning("holding the listens: %s", error)
        self._metrics.retried(error)
        look_when_idle()
