"""Health tells the truth and says why (tests/integration/test_http.py serves it)."""

from services.runtime.http import Condition, Health


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_that_stands_still_is_not_live() -> None:
    clock = Clock()
    health = Health(clock=clock, stale_after=5)
    assert health.live().ok
    clock.now += 4.9
    assert health.live().ok
    clock.now += 0.1
    assert not health.live().ok
    assert health.live().conditions[0].reason == "the last turn of the loop was 5.0 s ago, more than 5 s"
    health.beat()
    assert health.live().ok


def test_ready_needs_every_condition_named_at_the_start() -> None:
    health = Health("release", "redis", clock=Clock())
    assert [c.reason for c in health.ready().conditions] == ["", "not known yet", "not known yet"]
    health.set("release", True)
    assert not health.ready().ok
    health.set("redis", True)
    assert health.ready().ok
    health.set("redis", False, "no answer for 3 s")
    report = health.ready()
    assert not report.ok
    assert Condition("redis", ok=False, reason="no answer for 3 s") in report.conditions


def test_what_holds_has_no_reason() -> None:
    health = Health("redis", clock=Clock())
    health.set("redis", True, "this is for when it does not")
    assert health.ready().conditions[-1].reason == ""


def test_a_loop_that_stands_still_is_not_ready_either() -> None:
    clock = Clock()
    health = Health(clock=clock, stale_after=5)
    assert health.ready().ok
    clock.now += 6
    assert not health.ready().ok
