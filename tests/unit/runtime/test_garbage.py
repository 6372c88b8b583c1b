"""Cycles are looked for when a service has time."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from services.runtime import garbage


class Node:
    """Knows itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def a_cycle() -> "weakref.ref[Node]":
    return weakref.ref(Node())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(garbage, "monotonic", lambda: now[0])
    monkeypatch.setattr(garbage, "_looked", now[0])
    garbage.look_rarely()
    return now


def test_a_cycle_stays_while_there_is_work_and_goes_when_there_is_none(clock: list[float]) -> None:
    lost = a_cycle()
    kept = [[number] for number in range(10_000)]  # as a batch would
    clock[0] += garbage.EVERY_S - 1
    garbage.look_when_idle()  # it has just looked
    assert lost() is not None
    clock[0] += 1
    garbage.look_when_idle()
    assert lost() is None
    assert len(kept) == 10_000


def test_what_was_there_for_long_is_found_too(clock: list[float]) -> None:
    connection = Node()
    lost = weakref.ref(connection)
    for _ in range(3):  # each look makes it older
        clock[0] += garbage.EVERY_S
        garbage.look_when_idle()
    del connection
    assert lost() is not None
    clock[0] += garbage.EVERY_S
    garbage.look_when_idle()
    assert lost() is None
