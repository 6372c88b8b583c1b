"""Trying again while the broker or Redis is away: bounded waits, over at once when the service is to stop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception_type, sleep_using_event
from tenacity.wait import wait_exponential_jitter

from services.runtime.errors import Stopped, Transient

T = TypeVar("T")
Hook = Callable[[Transient], None]

FIRST = 0.05  # seconds before the second try
LONGEST = 5.0  # seconds; after an outage of any length work resumes within this


def keep_trying(
    call: Callable[[], T], stop: threading.Event, on_retry: Hook | None = None, longest: float = LONGEST
) -> T:
    """What `call` returns, tried until it raises no Transient.

    `on_retry` gets the error before each wait (to count and to log). Any other error passes through at once. Raises
    Stopped, from the last Transient, once `stop` is set; what was not done must then not be acknowledged.
    """
    trying = Retrying(
        retry=retry_if_exception_type(Transient),
        wait=_waits(longest),
        stop=lambda _: stop.is_set(),
        sleep=sleep_using_event(stop),
        before_sleep=_told(on_retry),
        retry_error_callback=_stopped,
    )
    return trying(call)


async def keep_trying_async(
    call: Callable[[], Awaitable[T]], stop: asyncio.Event, on_retry: Hook | None = None, longest: float = LONGEST
) -> T:
    """`keep_trying` for coroutines."""

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)

    trying = AsyncRetrying(
        retry=retry_if_exception_type(Transient),
        wait=_waits(longest),
        stop=lambda _: stop.is_set(),
        sleep=sleep,
        before_sleep=_told(on_retry),
        retry_error_callback=_stopped,
    )

    async def attempt() -> T:
        return await call()  # tenacity awaits coroutine functions only, and `call` may be a lambda

    return await trying(attempt)


def _waits(longest: float) -> wait_exponential_jitter:
    return wait_exponential_jitter(multiplier=FIRST, max=longest, jitter=FIRST)


def _told(on_retry: Hook | None) -> Callable[[RetryCallState], None] | None:
    if on_retry is None:
        return None

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Transient):
            on_retry(error)

    return before_sleep


def _stopped(state: RetryCallState) -> NoReturn:
    error = state.outcome.exception() if state.outcome else None
    raise Stopped(f"told to stop while: {error}") from error
