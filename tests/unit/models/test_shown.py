"""What stood high day after day and was not played rests for some days."""

from models.ids import key_of
from models.profile import ProfileView
from models.shown import MOST, TOP, Shown
from models.taste import DAY
from tests.unit.scorer.worlds import NOON, listen, view

KEYS = [key_of(f"t{row}") for row in range(200)]


def on_day(day: int, *played: str) -> ProfileView:
    """Someone who has listened that day, to something else and then to these."""
    at = NOON + day * DAY
    return view([listen("other", at), *(listen(track, at + 1 + number) for number, track in enumerate(played))])


def shown_on(days: list[int], listed: list[int], rest_days: int = 7) -> Shown:
    memory = Shown(10)
    for day in days:
        memory.remember("ann", on_day(day), listed, rest_days)
    return memory


def test_after_so_many_days_it_rests_and_then_begins_anew() -> None:
    memory = shown_on([0, 1, 2], KEYS[:2])
    assert memory.resting("ann", on_day(2), 4, 7).tolist() == []
    assert sorted(memory.resting("ann", on_day(3), 3, 7)) == sorted(KEYS[:2])
    assert sorted(memory.resting("ann", on_day(8), 3, 7)) == sorted(KEYS[:2])
    assert memory.resting("ann", on_day(9), 3, 7).tolist() == []
    assert memory.resting("ben", on_day(3), 3, 7).tolist() == []
    memory.remember("ann", on_day(9), KEYS[:2], 7)
    assert memory.resting("ann", on_day(9), 3, 7).tolist() == []


def test_many_lists_of_a_day_count_once() -> None:
    assert shown_on([0, 0, 0, 0], KEYS[:2]).resting("ann", on_day(1), 2, 7).tolist() == []


def test_what_was_played_or_skipped_has_been_answered() -> None:
    memory = shown_on([0, 1, 2], KEYS[:2])
    assert memory.resting("ann", on_day(3, "t0"), 3, 7).tolist() == [KEYS[1]]
    memory.remember("ann", on_day(3, "t0"), [KEYS[5]], 7)
    assert memory.resting("ann", on_day(3), 3, 7).tolist() == [KEYS[1]]


def test_only_the_first_places_count_and_memory_is_bounded() -> None:
    memory = shown_on([0, 1, 2], KEYS)
    assert set(memory.resting("ann", on_day(3), 3, 7)) == set(KEYS[:TOP])
    for day in range(20):
        memory.remember("ann", on_day(day), KEYS[day * 10 :], 99)
    assert len(memory._seen["ann"]) <= MOST
    for number in range(30):
        memory.remember(f"u{number}", on_day(0), KEYS, 7)
    assert len(memory) == 10


def test_a_stranger_is_not_remembered() -> None:
    memory = Shown(3)
    memory.remember("ann", None, KEYS, 7)
    assert len(memory) == 0
    assert memory.resting("ann", None, 1, 7).tolist() == []
