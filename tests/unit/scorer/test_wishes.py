"""What listeners and operators want of lists: left out, rested, several at once."""

from pathlib import Path

import pytest

from models.release import Release
from models.sources.settings import ListSettings
from models.taste import DAY
from schemas.codec import MAX_BYTES, decode
from schemas.recommendation import Item, Recommendations
from services.scorer.arms import Arms
from services.scorer.lists import fitting
from services.scorer.split import Split
from tests.unit.scorer.fakes import World, notice
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r1")


def arms(board: Release, settings: ListSettings, share: float = 0.0) -> Arms:
    return Arms(board, Split(settings, settings, share))


def listed(world: World, made_by: Arms, version: int, second: int = 0, user: str = "ann") -> Recommendations:
    """The list after one more play, of a track that no release knows."""
    world.store.put(user, profile(listen(f"other{at}", NOON + second) for at in range(version + 1)))
    world.score([notice(user, version)], made_by)
    return world.topic.sent[-1]


def test_what_the_operator_excludes_is_gone_from_the_very_next_list_of_everybody(
    board: Release, tmp_path: Path
) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text("# nothing yet\n")
    world, made_by = World(), arms(board, ListSettings(length=5, exclude=str(path)), share=0.5)
    users = [f"u{number}" for number in range(12)]
    before = {user: listed(world, made_by, 0, user=user) for user in users}
    assert {made.variant for made in before.values()} == {"a", "b"}
    first = before["u0"].items[0].track_id
    path.write_text(f"track {first}\n")
    for user in users:
        assert first in {item.track_id for item in before[user].items}
        assert first not in {item.track_id for item in listed(world, made_by, 1, user=user).items}
    path.write_text("spoilt\n")
    assert first not in {item.track_id for item in listed(world, made_by, 2).items}  # what was excluded stays so


def test_what_was_shown_day_after_day_rests_and_comes_back(board: Release) -> None:
    world, made_by = World(), arms(board, ListSettings(length=5, shown_days=2, shown_rest_days=3))
    days = [{item.track_id for item in listed(world, made_by, day, day * DAY).items} for day in range(9)]
    assert days[1] == days[0]
    assert not days[2] & days[0]
    assert not days[3] & days[0]
    assert days[4] == days[0]


def test_without_that_setting_nothing_rests(board: Release) -> None:
    world, made_by = World(), arms(board, ListSettings(length=5))
    assert len({str(listed(world, made_by, day, day * DAY).items) for day in range(5)}) == 1


def test_several_mixes_come_in_one_message(board: Release) -> None:
    world, made_by = World(), arms(board, ListSettings(length=5, mixes="discover=3 up-next"))
    made = listed(world, made_by, 0)
    assert {name: len(items) for name, items in made.mixes.items()} == {"discover": 3, "up-next": 5}
    assert made.items == listed(World(), arms(board, ListSettings(length=5)), 0).items
    assert listed(World(), arms(board, ListSettings(length=5)), 0).mixes == {}


def test_too_long_for_a_message_the_longest_list_loses_its_tail_first() -> None:
    long = [Item(f"{at:03d}" + "é" * 509, 1.0, "why", "als") for at in range(800)]
    made = Recommendations(
        "id", "ann", 0, 0, "r", 0, 0, 0, long[:50], mixes={"discover": list(long), "up-next": long[:20]}
    )
    data = fitting(made)
    assert len(data) <= MAX_BYTES
    kept = decode(Recommendations, data)
    assert (kept.items, kept.mixes["up-next"]) == (long[:50], long[:20])
    assert 0 < len(kept.mixes["discover"]) < 800
