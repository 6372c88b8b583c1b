"""Who is in which variant, and two recommenders on one release."""

from pathlib import Path

import pytest

from models.release import Release
from models.sources.settings import BadSources, ListSettings
from services.runtime.settings import BadSetting, load
from services.scorer import releases
from services.scorer.arms import Arms
from services.scorer.settings import ScorerSettings
from services.scorer.split import Split, overridden
from tests.unit.scorer.fakes import World, alone, notice
from tests.unit.scorer.test_releases import Following, announced
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile

USERS = [f"listener-{number}" for number in range(20_000)]
A_LIST = ListSettings(length=5)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r1")


def split(share: float, salt: str = "segue", b: ListSettings = A_LIST) -> Split:
    return Split(A_LIST, b, share, salt)


def in_b(share: float, salt: str = "segue") -> set[str]:
    dealt = split(share, salt)
    return {user for user in USERS if dealt.of(user) == "b"}


def test_a_listener_is_dealt_the_same_on_every_machine_and_for_ever() -> None:
    dealt = split(0.5)
    assert [dealt.of(user) for user in ("listener-1", "listener-5", "ann", "ünï", "")] == ["b", "a", "b", "b", "b"]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_the_share_is_what_was_asked_for(share: float) -> None:
    assert len(in_b(share)) / len(USERS) == pytest.approx(share, abs=4 * (share * (1 - share) / len(USERS)) ** 0.5)


def test_no_share_is_nobody_and_a_whole_one_everybody() -> None:
    assert in_b(0.0) == set()
    assert len(in_b(1.0)) == len(USERS)


def test_a_larger_share_moves_nobody_out_of_b() -> None:
    assert in_b(0.1) < in_b(0.3) < in_b(0.8)


def test_another_salt_deals_anew() -> None:
    both = len(in_b(0.5) & in_b(0.5, "next"))
    assert both / len(USERS) == pytest.approx(0.25, abs=0.015)


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    base = ListSettings(length=30, artist_cap=2)
    found = overridden(base, "mix=up-next kind_cap=7 sources=history=4,als=2 familiar=0.5", "X")
    assert (found.length, found.artist_cap) == (30, 2)
    assert (found.mix, found.kind_cap, found.familiar) == ("up-next", 7, 0.5)
    assert found.quotas() == {"history": 4.0, "als": 2.0}
    assert overridden(ListSettings(familiar=0.5), "familiar=null", "X").familiar is None
    assert overridden(base, "", "X") == base


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("mood=blue", "'mood=blue' is not one `name=value` of a list's: length, mix"),
        ("length", "'length' is not one"),
        ("length=5 length=6", "'length=6' is not one"),
        ("length=many", "Expected `int`"),
        ("length=0", ">= 1"),
        ("sources=radio=2", "no source 'radio'"),
    ],
)
def test_a_wrong_override_stops_the_start_and_is_named(value: str, says: str) -> None:
    settings = load(ScorerSettings, {"SEGUE_SCORER_B_LIST": value})
    with pytest.raises(BadSetting, match=f"^SEGUE_SCORER_B_LIST='{value}'") as error:
        settings.split()
    assert says in str(error.value)


def test_a_wrong_table_of_everybodys_lists_is_told_by_its_own_name() -> None:
    with pytest.raises(BadSources, match="SEGUE_LIST_SOURCES='als'"):
        load(ScorerSettings, {"SEGUE_LIST_SOURCES": "als", "SEGUE_SCORER_B_LIST": "length=7"}).split()


def test_settings_reach_the_split() -> None:
    found = load(
        ScorerSettings,
        {"SEGUE_SCORER_B_SHARE": "0.25", "SEGUE_SCORER_B_SALT": "next", "SEGUE_SCORER_B_LIST": "length=7"},
    ).split()
    assert (found.share, found.salt, found.a.length, found.b.length) == (0.25, "next", 50, 7)


def test_both_variants_are_made_from_one_batch_on_one_release(board: Release) -> None:
    users = USERS[:40]
    dealt = split(0.5, b=ListSettings(length=3))
    arms, world = Arms(board, dealt), World()
    for user in users:
        world.store.put(user, profile([listen("t0", NOON)]))
    world.score([notice(user, 0) for user in users], arms)
    assert len(world.topic.sent) == len(users)
    assert world.topic.batches == [len(users)]
    for made in world.topic.sent:
        variant = dealt.of(made.user_id)
        assert (made.variant, len(made.items)) == (variant, 3 if variant == "b" else 5)
        assert made.list_id == ("0-0-r1" if variant == "a" else "0-0-r1-b")
    assert {made.variant for made in world.topic.sent} == {"a", "b"}
    assert arms.b
    assert arms.a.recommender.release is arms.b.recommender.release is board


def test_the_lists_of_a_are_what_they_were_without_a_b(board: Release) -> None:
    """And without a second variant nobody is hashed."""
    sent = []
    for arms in (Arms(board, split(0.5, b=ListSettings(length=3))), alone(board)):
        world = World()
        for user in USERS[:40]:
            world.store.put(user, profile([listen("t0", NOON)]))
        world.score([notice(user, 0) for user in USERS[:40]], arms)
        sent.append({made.user_id: made for made in world.topic.sent if split(0.5).of(made.user_id) == "a"})
    assert sent[0] == sent[1]


def test_without_a_second_variant_nobody_is_hashed(board: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Split, "of", lambda *_: pytest.fail("hashed"))
    arms, world = alone(board), World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.score([notice("ann", 0)], arms)
    assert arms.b is None
    assert len(world.topic.sent) == 1


def test_a_release_is_loaded_once_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    following, loads, real = Following(), [], releases.load
    following.releases._split = split(0.5)
    monkeypatch.setattr(releases, "load", lambda *where: loads.append(where) or real(*where))
    following.releases.follow(announced(tmp_path / "r1"))
    assert len(loads) == 1
    assert following.releases.current
    assert following.releases.current.b
