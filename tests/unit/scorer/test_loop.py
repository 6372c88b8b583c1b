"""The loops: nothing is taken before a release, one release a batch, offsets only behind the lists."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.sources.settings import ListSettings
from schemas.release import ReleaseAnnounced
from services.runtime.errors import BrokerAway, RedisAway
from services.runtime.group import Record
from services.scorer.arms import Arms
from services.scorer.loop import TURN, follow, serve
from services.scorer.releases import Releases
from services.scorer.split import Split
from tests.unit.scorer.fakes import World, alone, notice
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile


class Script:
    """`Notices` that play a script: each step is called at one poll or hold, then the loop is stopped."""

    def __init__(self, stop: threading.Event, *batches: list[Record]) -> None:
        self.stop, self.batches = stop, list(batches)
        self.held, self.polled = 0, 0
        self.done_records: list[Record] = []
        self.given: set[int] = set()

    def poll(self, _seconds: float) -> list[Record]:
        self.polled += 1
        if not self.batches:
            self.stop.set()
            return []
        return self.batches.pop(0)

    def taken_over(self) -> set[int]:
        given, self.given = self.given, set()
        return given

    def done(self, records: Sequence[Record]) -> None:
        self.done_records += records

    def hold(self, _seconds: float) -> None:
        self.held += 1
        if self.held == 3:
            self.stop.set()

    def lags(self) -> dict[int, int]:
        return {0: 7}


@pytest.fixture
def world() -> World:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    return world


def releases(world: World, arms: Arms | None) -> Releases:
    made = Releases(Split(ListSettings(), ListSettings()), world.metrics, list, lambda: 0.0, 30)
    made.current = arms
    return made


def test_before_the_first_release_nothing_is_taken(world: World) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)])
    serve(world.scorer, script, releases(world, None), world.metrics, world._patiently, stop)
    assert (script.polled, script.held) == (0, 3)
    assert world.count("lag_records", partition="0") == 7


def test_offsets_are_done_behind_the_lists(world: World, tmp_path: Path) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)], [], [notice("ann", 0)])
    arms = alone(checkerboard(tmp_path / "r1"))
    seen: list[tuple[int, int]] = []
    done = script.done
    script.done = lambda records: (seen.append((len(world.topic.sent), len(records))), done(records))[0]  # type: ignore[method-assign]
    serve(world.scorer, script, releases(world, arms), world.metrics, world._patiently, stop)
    assert [each for each in seen if each[1]] == [(1, 1), (1, 1)]


def test_offsets_of_a_batch_are_done_once_its_lists_stand_though_the_next_is_under_way(
    world: World, tmp_path: Path
) -> None:
    stop = threading.Event()
    world.store.put("ben", profile([listen("t0", NOON)]))
    script = Script(stop, [notice("ann", 0)], [notice("ben", 0)])
    seen: list[tuple[list[str], int]] = []
    done = script.done
    script.done = lambda records: (seen.append(([made.user_id for made in world.topic.sent], len(records))),  # type: ignore[method-assign]
                                   done(records))[0]  # fmt: skip
    serve(world.scorer, script, releases(world, alone(checkerboard(tmp_path / "r1"))), world.metrics,
          world._patiently, stop)  # fmt: skip
    assert seen == [([], 0), (["ann"], 1), (["ann", "ben"], 1), (["ann", "ben"], 0)]


def test_the_last_lists_stand_and_are_done_when_the_loop_is_told_to_stop(world: World, tmp_path: Path) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)])
    poll = script.poll
    script.poll = lambda seconds: (poll(seconds), stop.set())[0]  # type: ignore[method-assign]  # within the first turn
    serve(world.scorer, script, releases(world, alone(checkerboard(tmp_path / "r1"))), world.metrics,
          world._patiently, stop)  # fmt: skip
    assert len(world.topic.sent) == len(script.done_records) == 1


def test_who_waits_for_lists_to_stand_does_not_wait_for_notices(world: World, tmp_path: Path) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)], [])
    waited: list[float] = []
    poll = script.poll
    script.poll = lambda seconds: (waited.append(seconds), poll(seconds))[1]  # type: ignore[method-assign]
    serve(world.scorer, script, releases(world, alone(checkerboard(tmp_path / "r1"))), world.metrics,
          world._patiently, stop)  # fmt: skip
    assert waited == [TURN, 0.0, TURN]


def test_lists_of_partitions_that_came_back_are_made_again(world: World, tmp_path: Path) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)], [notice("ann", 0)], [notice("ann", 0)])
    poll = script.poll

    def losing_and_getting_back(seconds: float) -> list[Record]:
        records = poll(seconds)
        script.given = {0} if script.polled == 3 else set()
        return records

    script.poll = losing_and_getting_back  # type: ignore[method-assign]  # the third batch comes after a rebalance
    arms = alone(checkerboard(tmp_path / "r1"))
    serve(world.scorer, script, releases(world, arms), world.metrics, world._patiently, stop)
    assert len(world.topic.sent) == 2


def test_a_batch_that_cannot_be_finished_is_not_done(world: World, tmp_path: Path) -> None:
    stop = threading.Event()
    script = Script(stop, [notice("ann", 0)])
    arms = alone(checkerboard(tmp_path / "r1"))
    world.scorer._patiently = lambda call: call()
    world.store.away = 1
    with pytest.raises(RedisAway):
        serve(world.scorer, script, releases(world, arms), world.metrics, lambda call: call(), stop)
    assert script.done_records == []


class Announced:
    """`Announcements` that are away once, then there."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop, self.asked = stop, 0

    def newest(self, _seconds: float) -> ReleaseAnnounced | None:
        self.asked += 1
        if self.asked == 1:
            raise BrokerAway("the broker is away")
        self.stop.set()
        return None

    def ping(self) -> None:
        raise BrokerAway("the broker is away")


def test_servers_that_do_not_answer_make_the_scorer_not_ready(world: World) -> None:
    stop = threading.Event()
    announced = Announced(stop)
    probes = {"redis": lambda: None, "kafka": announced.ping}
    follow(announced, releases(world, None), probes, world.health, stop, 2.0, lambda: 0.0)
    assert announced.asked == 2
    by_name = {each.name: each for each in world.health.ready().conditions}
    assert by_name["redis"].ok
    assert not by_name["kafka"].ok
    assert "broker is away" in by_name["kafka"].reason
