"""Holding on while Redis or the broker is away, without losing one's place in the group."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from services.runtime.errors import Transient
from services.runtime.garbage import look_when_idle
from services.runtime.group import Member
from services.runtime.retry import Hook, keep_trying

T = TypeVar("T")

log = logging.getLogger(__name__)


class Patient:
    """The `Patience` port: backs off until the call succeeds, staying in the group as `member` meanwhile."""

    def __init__(self, told: Hook, stop: threading.Event) -> None:
        """`told` gets each error: to count it, and to beat."""
        self._told, self._stop = told, stop
        self.member: Member | None = None  # once there is one

    def __call__(self, call: Callable[[], T], /) -> T:
        """What the call returns in the end. Raises Stopped."""
        try:
            return call()  # the common case pays for no retrying
        except Transient as error:
            self._on_retry(error)
        return keep_trying(call, self._stop, self._on_retry)

    def _on_retry(self, error: Transient) -> None:
        log.warning("nothing is taken meanwhile: %s", error)
        self._told(error)
        look_when_idle()
        if self.member is not None:
            with suppress(Transient):
                self.member.hold(0.0)  # a member that asks for nothing is taken for dead after five minutes
