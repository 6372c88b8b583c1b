"""Transient errors are waited out, anything else is not, and a stop ends the waiting."""

import asyncio
import threading
import time

import pytest

from services.runtime.errors import BrokerAway, Fatal, RedisAway, Stopped, Transient
from services.runtime.retry import keep_trying, keep_trying_async


class Flaky:
    """Fails the first `times` calls."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self.error, self.calls = times, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return "done"

    async def later(self) -> str:
        return self()


@pytest.mark.parametrize("error", [BrokerAway("b"), RedisAway("r")])
def test_it_is_tried_until_it_works_and_each_wait_is_told(error: Transient) -> None:
    call, told = Flaky(3, error), list[Transient]()
    assert keep_trying(call, threading.Event(), told.append, longest=0.001) == "done"
    assert (call.calls, told) == (4, [error] * 3)


@pytest.mark.parametrize("error", [Fatal("f"), ValueError("v")])
def test_anything_else_passes_through_at_once(error: Exception) -> None:
    call, told = Flaky(1, error), list[Transient]()
    with pytest.raises(type(error)) as raised:
        keep_trying(call, threading.Event(), told.append, longest=0.001)
    assert raised.value is error
    assert (call.calls, told) == (1, [])


def test_a_stop_ends_the_wait_at_once() -> None:
    stop, told = threading.Event(), list[float]()

    def on_retry(_: Transient) -> None:
        told.append(time.monotonic())
        if len(told) == 5:  # before a wait of 0.8 s
            threading.Timer(0.05, stop.set).start()

    with pytest.raises(Stopped, match="told to stop while: Redis is away") as raised:
        keep_trying(Flaky(1_000, RedisAway("Redis is away")), stop, on_retry)
    assert time.monotonic() - told[4] < 0.5
    assert isinstance(raised.value.__cause__, RedisAway)


def test_what_works_is_done_even_when_told_to_stop() -> None:
    stop = threading.Event()
    stop.set()
    assert keep_trying(Flaky(0, RedisAway()), stop) == "done"


def test_waits_grow_from_short_and_stay_bounded() -> None:
    call, started, stop = Flaky(7, RedisAway()), time.monotonic(), threading.Event()
    keep_trying(call, stop, longest=0.1)
    assert 0.5 < time.monotonic() - started < 1.5  # one wait of 0.05 to 0.1 s and six of 0.1 s


def test_coroutines_are_tried_the_same_way() -> None:
    call, told = Flaky(3, BrokerAway("b")), list[Transient]()

    async def run() -> str:
        return await keep_trying_async(call.later, asyncio.Event(), told.append, longest=0.001)

    assert asyncio.run(run()) == "done"
    assert (call.calls, len(told)) == (4, 3)


def test_a_stop_ends_a_coroutines_wait_at_once() -> None:
    told = list[float]()

    async def run() -> None:
        stop = asyncio.Event()

        def on_retry(_: Transient) -> None:
            told.append(time.monotonic())
            if len(told) == 5:
                asyncio.get_running_loop().call_later(0.05, stop.set)

        await keep_trying_async(Flaky(1_000, RedisAway("away")).later, stop, on_retry)

    with pytest.raises(Stopped, match="told to stop while: away"):
        asyncio.run(run())
    assert time.monotonic() - told[4] < 0.5
