"""What is remembered of whom, in bounded memory."""

from services.outcomes.standing import NEWEST, Kept, Standing
from tests.unit.outcomes.fakes import T0, made


def put(standing: Standing, user: str, version: int, at: int = 0, partition: int = 0) -> bool:
    return standing.put(partition, user, standing.compact(made(user, version, at, "x")))


def versions(standing: Standing, user: str) -> list[int]:
    return [kept.version for kept in standing._lists[0, user]]


def before(standing: Standing, user: str, offset: int = 99, at: int = 99) -> Kept | None:
    return standing.before(0, user, offset, T0 + at)


def test_the_listener_longest_without_anything_makes_room() -> None:
    standing = Standing(2)
    assert not put(standing, "ann", 1)
    assert not put(standing, "ben", 2)
    assert before(standing, "ann")
    assert put(standing, "cem", 3)
    assert before(standing, "ben") is None
    assert before(standing, "ann")
    assert len(standing) == 2


def test_a_listener_has_a_few_lists_at_most() -> None:
    standing = Standing(2)
    for version in range(NEWEST + 3):
        put(standing, "ann", version, version)
    assert versions(standing, "ann") == list(range(3, NEWEST + 3))


def test_what_nobody_can_ask_for_any_more_is_dropped() -> None:
    standing = Standing(2)
    for version in range(3):
        put(standing, "ann", version, version)
    assert before(standing, "ann", 3, 1)
    assert versions(standing, "ann") == [1, 2]


def test_partitions_are_kept_apart_and_dropped_apart() -> None:
    standing = Standing(9)
    put(standing, "ann", 1, partition=0)
    put(standing, "ann", 2, partition=1)
    standing.drop(0)
    assert standing.before(0, "ann", 9, T0) is None
    kept = standing.before(1, "ann", 9, T0)
    assert kept
    assert kept.version == 2


def test_a_kept_list_is_a_small_part_of_the_message() -> None:
    standing = Standing(9)
    kept = standing.compact(made("ann", 1, 0, *(f"t{n}" for n in range(50))))
    assert len(kept.tracks) * kept.tracks.itemsize + len(kept.sources) * kept.sources.itemsize == 500
    assert [standing.sources[number] for number in kept.sources[:2]] == ["source-t0", "source-t1"]
