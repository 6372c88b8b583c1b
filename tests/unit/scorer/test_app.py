"""A batch of notices becomes one list a listener, and nothing gets lost on the way."""

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
