"""A batch of notices becomes one list a listener, and nothing gets lost on the way."""

from collections.abc import Sequence

import msgspec
import pytest

from models.layout import PREFIXED, sealed
from models.profile import ProfileView
from models.release import Release
from schemas.profile import ProfileChanged
from services.runtime.group import Record
from services.scorer.app import newest_of
from services.scorer.arms import Arms
from tests.unit.scorer.fakes import NOW, World, alone, notice
from tests.unit.scorer.worlds import NOON, checkerboard, listen, profile


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r1")


@pytest.fixture(scope="module")
def arms(board: Release) -> Arms:
    return alone(board)


def player(plays: int = 3) -> bytes:
    return profile(listen(f"t{row}", NOON + row * 86_400) for row in range(plays)).encode()


def test_several_notices_of_one_listener_make_one_list(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile(listen(f"t{row}", NOON) for row in range(4)))
    world.score([notice("ann", version) for version in range(4)], arms)
    assert [made.profile_version for made in world.topic.sent] == [3]
    assert world.count("notices_total") == 4
    assert world.count("collapsed_notices_total") == 3
    assert world.count("lists_total") == 1


def test_a_list_says_what_it_was_made_from(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON), listen("t1", NOON + 1)]), partition=3)
    world.score([notice("ann", 1, 3, produced_at=NOW - 5, listened_at=NOON * 1000 + 1_234)], arms)
    (made,) = world.topic.sent
    assert made.list_id == "3-1-r1"
    assert (made.user_id, made.partition, made.profile_version, made.release_id) == ("ann", 3, 1, "r1")
    assert (made.made_at, made.produced_at, made.listened_at) == (NOW, NOW - 5, NOON * 1000 + 1_234)
    assert len(made.items) == 5


def test_a_profile_newer_than_its_notice_is_told_as_what_it_is(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile(listen(f"t{row}", NOON + row) for row in range(5)))
    world.score([notice("ann", 2, listened_at=7)], arms)
    (made,) = world.topic.sent
    assert (made.profile_version, made.listened_at, made.list_id) == (4, (NOON + 4) * 1000, "0-4-r1")


def test_late_notices_of_what_a_list_covers_make_no_second_one(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile(listen(f"t{row}", NOON) for row in range(5)))
    world.score([notice("ann", 2)], arms)
    world.score([notice("ann", 3), notice("ann", 4)], arms)
    assert len(world.topic.sent) == 1


def test_a_repeated_notice_gives_a_list_of_the_same_id_after_a_restart(arms: Arms) -> None:
    first, second = World(), World()
    for world in (first, second):
        world.store.put("ann", profile([listen("t0", NOON)]))
        world.score([notice("ann", 0)], arms)
    assert first.topic.sent == second.topic.sent


@pytest.mark.parametrize(
    ("stored", "version", "reason"),
    [
        (None, 2, "no_profile"),
        (b"SGP1 but short", 2, "bad_profile"),
        (b"", 2, "bad_profile"),
        (player(2), 2, "profile_behind"),
    ],
)
def test_a_notice_ahead_of_its_profile_is_passed_over_until_the_profiler_repeats_it(
    arms: Arms, stored: bytes | None, version: int, reason: str
) -> None:
    world = World()
    if stored is not None:
        world.store.profiles[0, "ann"] = stored
    world.store.put("ben", profile([listen("t0", NOON)]))
    world.score([notice("ann", version), notice("ben", 0)], arms)
    assert [made.user_id for made in world.topic.sent] == ["ben"]
    assert world.count("skipped_notices_total", reason=reason) == 1
    world.store.profiles[0, "ann"] = player(3)
    world.score([notice("ann", version)], arms)
    assert [made.user_id for made in world.topic.sent] == ["ben", "ann"]


def damaged_in_its_plays() -> bytes:
    """Three plays of three tracks, of which the last now says a fourth, under a checksum of its own."""
    data = bytearray(player(3))
    read = ProfileView(bytes(data))
    data[read.plays_at + read.shape.width * 2 // 8] |= 3 << read.shape.width * 2 % 8
    return sealed(bytes(data[PREFIXED.size :]))


def damaged_in_its_past() -> bytes:
    plays = (listen(f"t{row % 9}", NOON + row * 100) for row in range(600))
    data = bytearray(profile(plays).encode())
    data[-100] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (damaged_in_its_plays(), "a play of no track of its own"),
        (damaged_in_its_past(), "a past whose segment 1 of 1 is not as it was written"),
    ],
)
def test_a_damaged_profile_is_told_and_nobody_else_suffers(
    arms: Arms, stored: bytes, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    world, alone = World(), World()
    for each in (world, alone):
        each.store.put("ben", profile([listen("t0", NOON)]))
        each.store.put("cid", profile([listen("t1", NOON)]))
    world.store.profiles[0, "ann"] = stored
    world.score([notice("ben", 0), notice("ann", 2), notice("cid", 0)], arms)
    alone.score([notice("ben", 0), notice("cid", 0)], arms)
    assert world.topic.sent == alone.topic.sent
    assert world.count("skipped_notices_total", reason="bad_profile") == 1
    assert says in caplog.text
    assert stored not in world.scorer.seen  # it would spoil the warming of the next release


@pytest.mark.parametrize("value", [None, b"", b"{", b"{}", b'{"user_id":3}', b"\xff", b'"\\ud800"'])
def test_a_poisonous_notice_is_counted_and_passed_over(arms: Arms, value: bytes | None) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.score([Record(0, 0, value), notice("ann", 0)], arms)
    assert len(world.topic.sent) == 1
    assert world.count("skipped_notices_total", reason="poison") == 1


def test_redis_or_broker_away_holds_the_batch_and_loses_nothing(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.store.away, world.topic.away = 3, 2
    world.score([notice("ann", 0)], arms)
    assert len(world.retries) == 5
    assert len(world.topic.sent) == 1


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


def test_a_large_batch_is_read_and_sent_in_parts(arms: Arms) -> None:
    world = World(max_batch=4)
    for user in range(10):
        world.store.put(f"u{user}", profile([listen("t0", NOON)]))
    world.score([notice(f"u{user}", 0) for user in range(10)], arms)
    assert world.store.reads == [4, 4, 2]
    assert world.topic.batches == [4, 4, 2]


def test_two_partitions_may_have_a_listener_of_the_same_name(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]), 1)
    world.store.put("ann", profile([listen("t0", NOON)]), 2)
    world.score([notice("ann", 0, 1), notice("ann", 0, 2)], arms)
    assert [made.partition for made in world.topic.sent] == [1, 2]


def test_the_newest_notice_is_that_of_the_highest_version() -> None:
    notices = [ProfileChanged("ann", 0, version, 0, 0) for version in (5, 9, 7)]
    assert [each.version for each in newest_of(notices)] == [9]


def test_metrics_tell_of_freshness_sources_and_fallbacks(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t4", NOON - 86_400), listen("elsewhere", NOON)]))
    world.store.put("new", profile([listen("elsewhere", NOON)]))
    world.score([notice("ann", 1), notice("new", 0)], arms)
    assert world.count("freshness_seconds_sum") == pytest.approx(0.01)
    assert world.count("items_total", source="popular") >= 5
    assert world.count("fallbacks_total", reason="stranger") == 1
    assert world.count("stage_seconds_count", stage="candidates") == 1
    stages = ("fetch", "read", "vectors", "candidates", "rank", "compose", "explain", "write", "send",
              "acknowledge")  # fmt: skip
    assert {stage: world.count("stage_seconds_count", stage=stage) for stage in stages} == dict.fromkeys(stages, 1)


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


def test_profiles_seen_are_kept_for_warming(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    world.score([notice("ann", 0)], arms)
    assert list(world.scorer.seen) == [world.store.profiles[0, "ann"]]


def test_a_notice_from_a_newer_version_with_another_field_is_taken(arms: Arms) -> None:
    world = World()
    world.store.put("ann", profile([listen("t0", NOON)]))
    value = msgspec.json.decode(notice("ann", 0).value or b"")
    world.score([Record(0, 0, msgspec.json.encode({**value, "mood": "blue"}))], arms)
    assert len(world.topic.sent) == 1
