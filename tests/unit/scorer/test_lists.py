"""The message, and lists made on the spot."""

import pytest

from models.profile import BadProfile
from models.recommender import Recommender
from models.release import Release
from models.sources.settings import ListSettings
from schemas.codec import MAX_BYTES, decode
from schemas.recommendation import Item, Recommendations
from services.scorer.lists import answer, fitting
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r1")


def test_a_list_of_honest_size_is_sent_as_it_is() -> None:
    made = Recommendations("id", "ann", 0, 0, "r", 0, 0, 0, [Item("t", 1.0, "why", "als")] * 500)
    assert decode(Recommendations, fitting(made)) == made


def test_a_list_too_long_for_a_message_loses_its_tail_only() -> None:
    items = [Item(f"{at:03d}" + "é" * 509, 1.0, "why", "als") for at in range(500)]
    made = Recommendations("id", "ann", 0, 0, "r", 0, 0, 0, list(items))
    data = fitting(made)
    assert len(data) <= MAX_BYTES
    kept = decode(Recommendations, data).items
    assert 0 < len(kept) < 500
    assert kept == items[: len(kept)]


def test_an_answer_on_the_spot_is_what_the_service_would_send(board: Release) -> None:
    recommender = Recommender(board, ListSettings())
    data = profile([listen("t3", NOON), listen("t5", NOON + 9)]).encode()
    made = answer("ann", data, recommender, 6, now=77)
    assert (made.user_id, made.profile_version, made.release_id, made.made_at) == ("ann", 1, "r1", 77)
    assert made.listened_at == (NOON + 9) * 1000
    assert len(made.items) == 6


def test_an_answer_has_the_listeners_partition_and_every_mix(board: Release) -> None:
    data = profile([listen("t3", NOON), listen("t5", NOON + 9)]).encode()
    made = answer("ann", data, Recommender(board, ListSettings(mixes="up-next=3 familiar")), 6, 77, partition=2)
    assert (made.partition, made.list_id) == (2, "2-1-r1")
    assert {mix: len(items) for mix, items in made.mixes.items()} == {"up-next": 3, "familiar": 2}


def test_a_stranger_is_answered_and_a_broken_profile_is_not(board: Release) -> None:
    recommender = Recommender(board, ListSettings())
    assert {item.source for item in answer("new", None, recommender, 6, now=77).items} == {"popular"}
    with pytest.raises(BadProfile):
        answer("ann", b"nonsense", recommender, 6, now=77)
