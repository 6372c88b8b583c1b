"""Reading the lists beside the listens: no further than the moment, from the beginning after a take-over."""

import pytest

from schemas.codec import encode
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_log import LogMoved
from tests.unit.outcomes.fakes import World, made, play


def test_after_an_outage_each_listen_meets_the_list_of_its_own_time() -> None:
    """More lists than are kept of a listener came meanwhile."""
    world = World()
    for version in range(20):
        world.log.put(made("ann", version, 10 * version, f"t{version}"))
    found = world.take(*(play("ann", f"t{n}", n + 1, 10 * n + 5) for n in range(20)))
    assert [each.rank for each in found] == [1] * 20
    assert [each.list_id for each in found] == [f"list-{n}" for n in range(20)]


def test_nothing_is_read_twice_nor_before_it_is_asked_for() -> None:
    world = World()
    for version in range(5):
        world.log.put(made("ann", version, 10 * version, "x"))
    world.take(play("ann", "x", 9, 15))
    assert world.log.reads == [(0, 0, 5), (0, 2, 5)]
    assert world.went_on == 2  # after each, as there is more
    world.log.put(made("ann", 10, 60, "x"))
    (found,) = world.take(play("ann", "x", 11, 70))
    assert found.list_id == "list-10"
    assert world.log.reads[2:] == [(0, 4, 6)]


def test_a_partition_that_comes_back_is_read_from_its_beginning() -> None:
    world = World()
    world.log.put(made("ann", 1, 0, "x"))
    world.take(play("ann", "x", 5, 10))
    world.following.keep({1})
    assert len(world.standing) == 0
    (found,) = world.take(play("ann", "x", 6, 20))
    assert found.list_id == "list-1"


def test_a_partition_that_stays_keeps_what_it_knows() -> None:
    world = World()
    world.log.put(made("ann", 1, 0, "x"))
    world.take(play("ann", "x", 5, 10))
    world.following.keep({0, 1})
    world.take(play("ann", "x", 6, 20))
    assert len(world.log.reads) == 1


def test_a_list_that_cannot_be_read_is_passed_over() -> None:
    world = World()
    world.log.put(made("ann", 1, 0, "x"))
    world.log.raw(b"{broken", b"ann")
    (found,) = world.take(play("ann", "x", 5, 10))
    assert found.list_id == "list-1"
    assert world.count("unreadable_lists_total") == 1


def test_a_list_that_was_taken_off_its_topic_is_forgotten() -> None:
    world = World()
    world.log.put(made("ann", 1, 0, "x"))
    world.take(play("ann", "x", 5, 10))
    world.log.raw(None, b"ann")
    assert world.take(play("ann", "x", 6, 20)) == []


def test_a_list_of_before_variants_is_of_variant_a() -> None:
    world = World()
    world.log.raw(encode(made("ann", 1, 0, "x")).replace(b',"variant":"a"', b""), b"ann")
    (found,) = world.take(play("ann", "x", 5, 10))
    assert found.variant == "a"


def test_what_was_compacted_away_does_not_hold_it_up() -> None:
    world = World()
    for version in range(6):
        world.log.put(made("ann", version, version, f"t{version}"))
    for at in (0, 1, 2, 4, 5):
        world.log.records[0][at] = world.log.records[0][at]._replace(offset=-1)
    (found,) = world.take(play("ann", "t3", 9, 10))
    assert found.list_id == "list-3"


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    world = World()
    for version in range(4):
        world.log.put(made("ann", version, 0, "x"))
    world.take(play("ann", "x", 9, 10))
    world.log.records[0].clear()
    assert world.take(play("ann", "x", 10, 20)) == []
    world.log.put(made("ann", 1, 25, "y"))
    (found,) = world.take(play("ann", "y", 11, 30))
    assert found.rank == 1


def test_what_was_removed_while_it_was_read_is_looked_for_again() -> None:
    world = World()
    for version in range(4):
        world.log.put(made("ann", version, 0, f"t{version}"))
    read, moved = world.log.read, []

    def moving(*where: object) -> object:
        if not moved:
            moved.append(True)
            world.log.first[0] = 3
            raise LogMoved("gone")
        return read(*where)  # type: ignore[arg-type]

    world.log.read = moving  # type: ignore[method-assign,assignment]
    (found,) = world.take(play("ann", "t3", 9, 10))
    assert (found.list_id, world.log.reads) == ("list-3", [(0, 3, 4)])


def test_a_broker_that_is_away_is_waited_for() -> None:
    world = World()
    world.log.put(made("ann", 1, 0, "x"))
    world.log.away = world.topic.away = 2
    assert len(world.take(play("ann", "x", 5, 10))) == 1
    assert [type(error) for error in world.retries] == [BrokerAway] * 4


def test_topics_that_are_not_split_alike_are_told() -> None:
    world = World()
    with pytest.raises(Fatal, match="recommendations has no partition 7, which listens has"):
        world.take(play("ann", "x", 5, 10)._replace(partition=7))
