"""Lists that the broker has yet to acknowledge, while the next are made."""

from collections.abc import Sequence

import pytest

from services.scorer.arms import Arms
from tests.unit.scorer.fakes import NOW, World, alone, notice
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Arms:
    return alone(checkerboard(tmp_path_factory.mktemp("board") / "r1"))


def test_a_list_that_was_not_acknowledged_is_not_taken_for_made(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer._patiently = lambda call: call()
    world.topic.away = 1
    with pytest.raises(Exception, match="away"):
        world.score([notice("ann", 0)], arms)
    world.score([notice("ann", 0)], arms)
    assert len(world.topic.sent) == 1


def test_the_next_batch_is_made_before_the_lists_of_the_last_stand_and_sent_after(arms: Arms) -> None:
    world = World()
    for user in ("ann", "ben"):
        world.store.put(user, profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0)], arms)
    assert [made.user_id for made in world.topic.under_way] == ["ann"]
    assert world.count("lists_total") == 0
    read = world.store.read

    def reading(wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        assert not world.topic.sent
        return read(wanted)

    world.store.read = reading  # type: ignore[method-assign]  # to look at the moment between
    world.scorer.score([notice("ben", 0)], arms)
    assert [made.user_id for made in world.topic.sent] == ["ann"]
    assert world.count("lists_total") == 1
    world.scorer.settle()
    assert [made.user_id for made in world.topic.sent] == ["ann", "ben"]


def test_a_listener_whose_list_is_under_way_gets_no_second_one_of_the_same(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0)], arms)
    world.scorer.score([notice("ann", 0)], arms)
    assert not world.topic.under_way
    assert len(world.topic.sent) == 1


def test_lists_under_way_stand_before_partitions_go(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0)], arms)
    world.topic.away = 1
    world.scorer.part()  # asks once, and leaves the rest to the next owner
    assert not world.topic.sent
    world.scorer.part()
    assert len(world.topic.sent) == 1


def test_what_stood_before_a_takeover_is_not_remembered_after_it(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0)], arms)
    world.scorer.take_over({0})
    world.score([notice("ann", 0)], arms)
    assert len(world.topic.sent) == 2


def test_a_list_is_as_late_as_its_acknowledgement(arms: Arms, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))

    def slow() -> float:
        world.now += 2_000
        return settle()

    settle = world.topic.settle
    monkeypatch.setattr(world.topic, "settle", slow)
    world.score([notice("ann", 0, produced_at=NOW - 5)], arms)
    assert [made.made_at for made in world.topic.sent] == [NOW]
    assert world.count("freshness_seconds_sum") == pytest.approx(2.005)


def test_a_list_is_no_later_than_its_acknowledgement_though_nobody_listened_then(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0, produced_at=NOW - 5)], arms)
    world.now, world.topic.ago = NOW + 60_000, 59.98
    world.scorer.settle()
    assert world.count("freshness_seconds_sum") == pytest.approx(0.025)


@pytest.mark.parametrize(("seconds", "version"), [(2.9, 0), (30.0, 3)])
def test_lists_are_made_again_if_those_before_them_took_long_to_stand(
    arms: Arms, monkeypatch: pytest.MonkeyPatch, seconds: float, version: int
) -> None:
    world = World()
    for user in ("ann", "ben"):
        world.store.put(user, profile([listen("t0", NOON)]))
    settle = world.topic.settle

    def slow() -> float:
        world.now += round(seconds * 1000)
        world.store.put("ben", profile(listen(f"t{row}", NOON) for row in range(4)))
        return settle()

    monkeypatch.setattr(world.topic, "settle", slow)
    world.scorer.score([notice("ann", 0)], arms)
    world.scorer.score([notice("ben", 0)], arms)
    assert [(made.user_id, made.profile_version) for made in world.topic.under_way] == [("ben", version)]


def test_lists_that_took_long_to_stand_are_sent_once_more_from_profiles_read_then(
    arms: Arms, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While a scorer is stopped or cut off another makes lists of its listeners, and the older would stand last.
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    settle = world.topic.settle

    def slow() -> float:
        world.now += 30_000
        world.store.put("ann", profile(listen(f"t{row}", NOON) for row in range(4)))
        return settle()

    monkeypatch.setattr(world.topic, "settle", slow)
    world.score([notice("ann", 0)], arms)
    assert [made.profile_version for made in world.topic.sent] == [0, 3]
    assert world.count("lists_total") == 2
    world.score([notice("ann", 3)], arms)
    assert len(world.topic.sent) == 2


def test_lists_that_stood_soon_are_not_sent_again_though_nobody_listened_then(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.scorer.score([notice("ann", 0)], arms)
    world.now, world.topic.ago = NOW + 60_000, 59.98
    world.scorer.settle()
    assert len(world.topic.sent) == 1


def test_acknowledgements_are_heard_between_the_stages_and_while_redis_is_away(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.store.away = 2
    world.scorer.score([notice("ann", 0)], arms)
    stages = ("fetch", "read", "vectors", "candidates", "rank", "compose", "explain", "write")
    assert world.topic.looked == 2 + len(stages)
