"""One listen against the list that stood: which one stood, what a hit is, what is not judged at all."""

from typing import Any

import pytest

from schemas.outcome import Outcome
from tests.unit.outcomes.fakes import T0, World, made, play


def test_a_track_of_the_list_is_a_hit_with_its_rank_and_source() -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x", "y", "z", release_id="r7", variant="b"))
    (found,) = world.take(play("ann", "y", 9, 50))
    assert found == Outcome(
        "e9", "ann", "y", "play", None, T0 + 50, T0 + 50, "list-3", "r7", "b", length=3, rank=2, source="source-y"
    )


def test_a_track_that_is_not_in_it_is_a_miss() -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    (found,) = world.take(play("ann", "y", 9, 50))
    assert (found.rank, found.source, found.length, found.list_id) == (None, None, 1, "list-3")


def test_an_empty_list_is_a_list() -> None:
    world = World()
    world.log.put(made("ann", 3, 0))
    (found,) = world.take(play("ann", "y", 9, 50))
    assert (found.rank, found.length) == (None, 0)


def test_the_newest_list_before_the_listen_counts() -> None:
    world = World()
    for version, at, track in ((1, 0, "x"), (2, 10, "y"), (3, 20, "z")):
        world.log.put(made("ann", version, at, track))
    found = world.take(play("ann", "y", 4, 19), play("ann", "y", 5, 20), play("ann", "z", 6, 21))
    assert [(each.list_id, each.rank) for each in found] == [("list-2", 1), ("list-3", None), ("list-3", 1)]


def test_a_list_that_knows_of_the_listen_is_not_the_one_before_it() -> None:
    """By its time alone it may seem so: made in the same ms, or by a clock that is behind."""
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    world.log.put(made("ann", 9, 50, "y"))
    world.log.put(made("ann", 12, 40, "y"))
    found = world.take(play("ann", "y", 9, 50), play("ann", "y", 10, 60))
    assert [(each.list_id, each.rank) for each in found] == [("list-3", None), ("list-9", 1)]


@pytest.mark.parametrize(
    ("kind", "ms_played", "counts_as"),
    [
        ("play", None, "play"),
        ("play", 31_000, "play"),
        ("play", 5_000, "skip"),
        ("skip", None, "skip"),
        ("skip", 31_000, "play"),
    ],
)
def test_a_skip_is_what_the_taste_table_calls_one(kind: str, ms_played: int | None, counts_as: str) -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    (found,) = world.take(play("ann", "x", 9, 50, kind=kind, ms_played=ms_played))
    assert found.kind == counts_as


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ({}, None),
        ({"organic": True}, "listener"),
        ({"organic": False}, "other"),
        ({"list_id": "any"}, "list"),
        ({"list_id": "any", "organic": True}, "list"),
    ],
)
def test_who_chose_the_track_is_what_the_listen_says(said: dict[str, Any], chosen: str | None) -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    (found,) = world.take(play("ann", "x", 9, 50, **said))
    assert found.chosen == chosen


@pytest.mark.parametrize("kind", ["love", "ban", "unban"])
def test_marks_are_no_outcomes(kind: str) -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    assert world.take(play("ann", "x", 9, 50, kind=kind)) == []
    assert world.count("passed_over_listens_total", reason="mark") == 1


def test_an_import_is_not_judged_by_the_list_of_today() -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    hour = 3_600_000
    (found,) = world.take(play("ann", "x", 9, hour, listened_at=T0 - 1), play("ann", "x", 10, hour, listened_at=T0))
    assert found.event_id == "e10"
    assert world.count("passed_over_listens_total", reason="late") == 1


def test_who_had_no_list_makes_no_outcome() -> None:
    world = World()
    world.log.put(made("ann", 3, 100, "x"))
    world.log.put(made("ben", 3, 0, "x"))
    assert world.take(play("ann", "x", 9, 50), play("cem", "x", 10, 60)) == []
    assert world.count("passed_over_listens_total", reason="no_list") == 2


def test_a_bad_listen_is_passed_over_and_the_rest_is_judged() -> None:
    world = World()
    world.log.put(made("ann", 3, 0, "x"))
    good = play("ann", "x", 9, 50)
    bad = [good._replace(value=None), good._replace(value=b"{"), good._replace(key=b"ben")]
    assert len(world.take(*bad, good)) == 1
    assert world.count("passed_over_listens_total", reason="poison") == 3
