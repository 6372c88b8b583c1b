"""A batch goes all the way, or comes again whole; the loop commits behind it, and the counters tell of it."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import structs

from models.sources.settings import SOURCES, ListSettings
from schemas.recommendation import VARIANTS, Item
from services.outcomes.loop import GoingOn, serve
from services.outcomes.metrics import BAND_NAMES, band
from services.runtime.errors import Stopped
from services.runtime.group import Record
from tests.unit.outcomes.fakes import T0, World, made, play


class Script:
    """A `Member` that plays batches, then stops the loop."""

    def __init__(self, stop: threading.Event, *batches: list[Record]) -> None:
        self.stop, self.batches = stop, list(batches)
        self.mine = {0, 1}
        self.done_records: list[Record] = []
        self.held: list[float] = []

    def poll(self, _seconds: float) -> list[Record]:
        if not self.batches:
            self.stop.set()
            return []
        return self.batches.pop(0)

    def taken_over(self) -> set[int]:
        return set()

    def owned(self) -> set[int]:
        return self.mine

    def done(self, records: Sequence[Record]) -> None:
        self.done_records += records

    def hold(self, seconds: float) -> None:
        self.held.append(seconds)

    def lags(self) -> dict[int, int]:
        return {0: 3}


def run(world: World, script: Script, clock: float = 0.0) -> None:
    serve(world.outcomes, script, world.standing, world.metrics, world.patiently, script.stop, 2.0, lambda: clock)


def test_a_batch_settles_before_it_is_judged() -> None:
    world = World(settle_ms=500)
    world.now = T0 + 100
    world.take(play("ann", "x", 0, 0), play("ann", "x", 1, 80))
    assert world.waited == pytest.approx(0.48)
    world.now = T0 + 10_000
    world.take(play("ann", "x", 2, 90))
    assert world.waited == pytest.approx(0.48)  # an old one has settled
    world.now = T0 - 3_600_000
    world.take(play("ann", "x", 3, 90))
    assert world.waited == pytest.approx(0.98)  # never longer, whatever the broker's clock says


def test_offsets_are_done_behind_the_outcomes() -> None:
    world, stop = World(), threading.Event()
    world.log.put(made("ann", 1, 0, "x"))
    script = Script(stop, [play("ann", "x", 5, 10)], [], [play("ann", "x", 6, 20)])
    seen: list[tuple[int, int]] = []
    done = script.done
    script.done = lambda records: (seen.append((len(world.topic.sent), len(records))), done(records))[0]  # type: ignore[method-assign]
    run(world, script)
    assert seen == [(1, 1), (2, 1)]
    assert world.count("lag_records", partition="0") == 3
    assert world.count("listeners") == 1


def test_a_batch_that_was_not_acknowledged_is_not_done_and_comes_again_the_same() -> None:
    world, stop = World(), threading.Event()
    world.log.put(made("ann", 1, 0, "x"))
    world.outcomes._patiently = lambda call: call()
    world.topic.away = 1
    batch = [play("ann", "x", 5, 10)]
    script = Script(stop, batch)
    with pytest.raises(Exception, match="away"):
        run(world, script)
    assert script.done_records == []
    assert [each.rank for each in world.take(*batch)] == [1]


def test_an_idle_service_asks_whether_the_broker_is_there() -> None:
    world, stop, times = World(), threading.Event(), iter(range(0, 99, 3))
    world.log.away = 1
    script = Script(stop, [], [])
    serve(world.outcomes, script, world.standing, world.metrics, world.patiently, stop, 2.0, lambda: float(next(times)))
    assert len(world.retries) == 1
    assert world.metrics.health.ready().ok


def test_in_the_midst_of_a_rebalance_nothing_is_forgotten() -> None:
    world, stop = World(), threading.Event()
    world.log.put(made("ann", 1, 0, "x"))
    world.take(play("ann", "x", 5, 10))
    script = Script(stop)
    script.mine = set()
    run(world, script)
    assert len(world.standing) == 1
    assert [each.name for each in world.metrics.health.ready().conditions if not each.ok] == ["assignment"]
    stop.clear()
    script.mine = {1}
    run(world, script)
    assert len(world.standing) == 0


def test_a_long_read_stays_in_the_group_and_hears_of_a_stop() -> None:
    world, stop, time = World(), threading.Event(), [0.0]
    script = Script(stop)
    going_on = GoingOn(script, world.metrics, stop, lambda: time[0])
    for time[0] in (0.5, 0.9, 1.1, 1.5, 2.2):
        going_on()
    assert len(script.held) == 2
    stop.set()
    with pytest.raises(Stopped):
        going_on()


@pytest.mark.parametrize(
    ("rank", "name"),
    [(1, "1"), (2, "2-5"), (5, "2-5"), (6, "6-10"), (10, "6-10"), (11, "11-20"), (20, "11-20"), (21, "21-50"),
     (50, "21-50"), (51, "51+"), (500, "51+")],
)  # fmt: skip
def test_ranks_come_in_bands(rank: int, name: str) -> None:
    assert band(rank) == name


def test_hits_and_skips_are_counted_by_source_release_variant_and_band() -> None:
    world = World()
    items = [Item(track, 1.0, "why", source) for track, source in (("x", "als"), ("y", "recent"), ("z", "als"))]
    world.log.put(structs.replace(made("ann", 1, 0), items=items))
    world.take(
        play("ann", "y", 5, 10), play("ann", "y", 6, 20, kind="skip"), play("ann", "q", 7, 30),
        play("ann", "q", 8, 40, kind="skip"),
    )  # fmt: skip
    labels = {"source": "recent", "release": "r1", "variant": "a", "rank": "2-5"}
    assert world.count("hits_total", **labels) == 2
    assert world.count("skipped_hits_total", **labels) == 1
    for kind in ("play", "skip"):
        assert world.count("listens_total", kind=kind, release="r1", variant="a") == 2
    assert world.count("delay_seconds_count") == 4


def test_sources_and_variants_that_nobody_knows_share_a_series() -> None:
    """They come from messages, and somebody else may write lists: a label must not grow without end."""
    world = World()
    for number in range(20):
        world.log.put(made("ann", 10 * number, 10 * number, f"t{number}", variant=f"v{number}"))
        world.take(play("ann", f"t{number}", 10 * number + 1, 10 * number + 1))
    assert world.count("hits_total", source="other", release="r1", variant="other", rank="1") == 20
    assert world.count("listens_total", kind="play", release="r1", variant="other") == 20


def test_the_page_says_how_many_series_there_can_be() -> None:
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    variants, sources = len(VARIANTS) + 1, len(SOURCES) + 1
    assert f"{variants} variants × {sources} sources × {len(BAND_NAMES)} bands = " in page
    assert f"= {8 * variants * sources * len(BAND_NAMES):,} series" in page
    default = len(ListSettings().quotas())
    assert f"({8 * default * len(BAND_NAMES):,} with one variant and the {default} sources" in page


def test_only_the_newest_releases_have_series() -> None:
    world = World(releases=2)
    for number, release in enumerate(["r1", "r2", "r1", "r3"]):
        world.log.put(made("ann", 10 * number, 10 * number, "x", release_id=release))
        world.take(play("ann", "x", 10 * number + 1, 10 * number + 1))
    series = {
        sample.labels["release"]
        for metric in world.registry.collect()
        for sample in metric.samples
        if "release" in sample.labels
    }
    assert series == {"r1", "r3"}


def test_who_must_make_room_is_counted() -> None:
    world = World(remember=2)
    for user in ("ann", "ben", "cem"):
        world.log.put(made(user, 1, 0, "x"))
    found = world.take(*(play(user, "x", 5 + n, 10) for n, user in enumerate(("ann", "ben", "cem"))))
    assert [each.user_id for each in found] == ["ben", "cem"]
    assert world.count("forgotten_listeners_total") == 1
    assert world.count("passed_over_listens_total", reason="no_list") == 1
