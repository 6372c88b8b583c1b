"""The scorer as a process on real Kafka and Redis: every notice ends in a fresh list, whatever happens meanwhile."""

import signal
import threading
import time
from collections.abc import Iterator
from itertools import count, pairwise

import pytest

from models.release import INDEX
from schemas.codec import encode
from schemas.topics import LISTENER_PARTITIONS, PROFILES, TRACKS
from schemas.track import Track
from services.local.stack import LocalStack
from services.runtime.keys import profile_key
from tests.integration.scorers import World, metric, ready, until


@pytest.fixture(scope="module")
def servers() -> Iterator[LocalStack]:
    """Of our own: the shared stack's `releases` topic may already name another test's release."""
    with LocalStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def shared(servers: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(servers, tmp_path_factory.mktemp("releases"))
    yield world
    world.close()


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    yield shared
    shared.end_scorers()


def test_before_a_release_it_is_not_ready_and_keeps_every_notice_for_later(world: World) -> None:  # must come first
    port, ann = world.start(), world.listener()
    until(lambda: set(ready(port)) == {"release"}, "all but a release")
    for row in range(5):
        world.plays(ann, row)
    time.sleep(1.0)
    assert world.of(ann) == []
    announced = world.announce(world.publish())
    made = world.newest(ann, 4)
    assert (made.release_id, made.profile_version, len(world.of(ann))) == (announced, 4, 1)
    assert ready(port) == {}
    assert world.end_scorers() == [0]


def test_notices_become_lists_and_several_of_one_listener_one(world: World) -> None:
    port = world.start()
    world.announce(world.publish())
    ann, ben = world.listener(), world.listener()
    world.plays(ann, 0, 2, 4, notify=False)
    for version in (0, 1, 2):
        world.notice(ann, version)
    world.plays(ben, 1)
    made = world.newest(ann, 2)
    assert made.partition == world.partition(ann)
    assert {item.source for item in made.items} >= {"history", "als"}
    assert all(item.reason for item in made.items)
    assert world.newest(ben, 0).profile_version == 0
    assert [each.profile_version for each in world.of(ann)] == [2]
    assert metric(port, "segue_scorer_freshness_seconds_count") >= 2
    world.plays(ann, 6)
    assert world.newest(ann, 3).profile_version == 3


def test_poison_and_a_profile_that_redis_lost_are_passed_over(world: World) -> None:
    port, ann, ben = world.start(), world.listener(), world.listener()
    world.announce(world.publish())
    until(lambda: not ready(port), "the scorer")
    at = world.partition(ann)
    world.producer.send(PROFILES.name, b"{broken", ann.encode(), partition=at).get(10)
    world.plays(ann, 0, 1)
    world.newest(ann, 1)
    world.redis.delete(profile_key(at, ann))
    world.notice(ann, 2)
    world.plays(ben, 3)
    world.newest(ben, 0)
    until(lambda: metric(port, "segue_scorer_skipped_notices_total") >= 2, "both to be counted")
    assert world.of(ann)[-1].profile_version == 1
    world.plays(ann, 4)
    assert world.newest(ann, 2).profile_version == 2


def test_a_release_swaps_under_load_without_a_gap_or_a_mixed_list(world: World) -> None:
    port = world.start()
    first = world.announce(world.publish("t"))
    until(lambda: not ready(port), "the scorer")
    users = [world.listener() for _ in range(12)]
    stop = threading.Event()

    def load() -> None:
        for turn in count():
            if stop.is_set():
                return
            world.plays(users[turn % 12], turn % 20, prefix="tn"[turn // 12 % 2])

    loading = threading.Thread(target=load)
    loading.start()
    try:
        until(lambda: len(world.of(users[0])) > 3, "lists of the first release")
        second = world.announce(world.publish("n"))
        until(lambda: world.of(users[0])[-1].release_id == second, "lists of the second release")
        time.sleep(0.5)
    finally:
        stop.set()
        loading.join()
    for user in users:
        made = world.newest(user, world.profiles[user].version)
        assert made.release_id == second
        mine = world.of(user)
        assert {each.release_id for each in mine} == {first, second}
        for each in mine:
            prefix = "t" if each.release_id == first else "n"
            assert all(item.track_id.startswith(prefix) for item in each.items)
        versions = [each.profile_version for each in mine]
        assert versions == sorted(set(versions))
        swapped = [each.release_id for each in mine]
        assert swapped == sorted(swapped, key=[first, second].index)
    times = sorted(each.made_at for user in users for each in world.of(user))
    assert max(later - earlier for earlier, later in pairwise(times)) < 2_000


def test_a_track_announced_after_the_release_is_listed_to_who_has_played_it(world: World) -> None:
    port = world.start(SEGUE_SCORER_NEW_TRACKS_S="0.1")
    world.announce(world.publish())
    until(lambda: not ready(port), "the scorer")
    ann = world.listener()
    world.newest(ann, world.plays(ann, 0, 2, 900))
    assert "t900" not in {item.track_id for item in world.of(ann)[-1].items}
    track = Track("t900", "Just out", "Somebody")
    world.producer.send(TRACKS.name, encode(track), track.track_id.encode()).get(10)

    def listed() -> dict[str, str]:
        return {item.track_id: item.source for item in world.newest(ann, world.plays(ann, 2)).items}

    until(lambda: "t900" in listed(), "the track to join")
    assert metric(port, "segue_scorer_newcomer_tracks") >= 1  # and what other tests announced on this broker
    items = listed()
    assert items["t900"] in {"history", "recent", "sequence", "around", "sessions"}
    ben = world.listener()
    assert "t900" not in {item.track_id for item in world.newest(ben, world.plays(ben, 0, 2)).items}


def test_a_bad_release_is_refused_and_the_old_one_keeps_serving(world: World) -> None:
    port, ann = world.start(), world.listener()
    good = world.announce(world.publish())
    until(lambda: not ready(port), "the scorer")
    bad = world.publish()
    (world.folder / bad.release_id / INDEX).write_bytes(b"spoilt")
    world.announce(bad)
    until(lambda: metric(port, "segue_scorer_release_failures_total") == 1, "the refusal")
    world.plays(ann, 3)
    assert world.newest(ann, 0).release_id == good
    assert ready(port) == {}
    world.announce(world.publish())  # or the next test's scorer would find only a bad one


def test_redis_gone_and_back_loses_no_notice(world: World) -> None:
    port = world.start()
    world.announce(world.publish())
    users = [world.listener() for _ in range(4)]
    for user in users:
        world.plays(user, 1)
        world.newest(user, 0)
    for user in users:
        world.plays(user, 2, notify=False)
    world.stack.redis.stop()
    try:
        for user in users:
            world.notice(user, 1)
        until(lambda: "redis" in ready(port), "it to say that Redis is away")
        assert all(len(world.of(user)) == 1 for user in users)
    finally:
        world.stack.redis.start()
    for user in users:
        world.put(user)  # as the profiler would, should Redis have lost its last second
        assert world.newest(user, 1).profile_version == 1
    until(lambda: not ready(port), "it to be ready again")


def test_the_broker_gone_and_back_loses_no_notice(world: World) -> None:
    port, ann = world.start(), world.listener()
    world.announce(world.publish())
    world.plays(ann, 1)
    world.newest(ann, 0)
    world.disconnect()  # kafka-python leaves a socket behind for each attempt to connect, which pytest would tell
    world.stack.kafka.stop()
    try:
        until(lambda: "kafka" in ready(port), "it to say that the broker is away")
    finally:
        world.stack.kafka.start()
        world.connect()
    until(lambda: not ready(port), "it to be ready again")
    world.plays(ann, 2)
    assert world.newest(ann, 1).profile_version == 1
    assert world.end_scorers() == [0]


@pytest.mark.parametrize("silent_s", [0.1, 2.5])
def test_told_to_stop_while_the_broker_is_silent_it_ends_in_time(world: World, silent_s: float) -> None:
    world.announce(world.publish())
    world.start(SEGUE_SCORER_COMMIT_MS="60000")  # so that there is something to commit at the end
    ann, ben = world.listener(), world.listener()
    world.plays(ann, 1)
    world.newest(ann, 0)
    world.plays(ben, 2)  # its list is on its way
    world.stack.kafka.pause()
    try:
        time.sleep(silent_s)
        began = time.monotonic()
        assert world.end_scorers() == [0]
        took = time.monotonic() - began
    finally:
        world.stack.kafka.resume()
    assert took < 6.5, took  # 5, and a busy machine


def test_kill_9_repeats_lists_under_the_same_id_and_loses_none(world: World) -> None:
    world.announce(world.publish())
    users = [world.listener() for _ in range(6)]
    port = world.start("to-be-killed", SEGUE_SCORER_COMMIT_MS="60000")  # nothing is committed before the end
    for user in users:
        world.plays(user, 1)
        world.newest(user, 0)
    assert not ready(port)
    world.end_scorers(signal.SIGKILL)
    late = world.listener()
    world.plays(late, 5)
    world.start("to-be-killed")
    world.newest(late, 0)
    until(lambda: all(len(world.of(user)) == 2 for user in users), "the lists to be repeated")
    for user in users:
        first, again = world.of(user)
        assert (first.list_id, first.items) == (again.list_id, again.items)


def test_offsets_are_committed_behind_the_lists_so_a_restart_repeats_nothing(world: World) -> None:
    world.announce(world.publish())
    ann, late = world.listener(), world.listener()
    world.start("restarted")
    world.plays(ann, 1)
    world.newest(ann, 0)
    assert world.end_scorers() == [0]
    world.start("restarted")
    world.plays(late, 5)
    world.newest(late, 0)
    assert len(world.of(ann)) == 1


def test_two_variants_run_side_by_side_and_a_restart_deals_nobody_anew(world: World) -> None:
    world.announce(world.publish())
    b = {"SEGUE_SCORER_B_SHARE": "0.5", "SEGUE_SCORER_B_LIST": "length=3"}
    world.start("variants", **b)
    users = [world.listener() for _ in range(16)]
    first = {user: world.newest(user, world.plays(user, 2)) for user in users}
    assert {made.variant for made in first.values()} == {"a", "b"}
    for made in first.values():
        assert len(made.items) == (3 if made.variant == "b" else 8)
        assert made.list_id.endswith("-b") == (made.variant == "b")
    assert world.end_scorers() == [0]
    world.start("variants", **b)
    for user in users:
        assert world.newest(user, world.plays(user, 3)).variant == first[user].variant


def test_two_scorers_share_the_listeners_and_one_takes_over(world: World) -> None:
    world.announce(world.publish())
    ports = [world.start("two"), world.start("two")]
    users = [world.listener() for _ in range(LISTENER_PARTITIONS)]

    def both_work() -> bool:
        for user in users:
            world.newest(user, world.plays(user, 2))
        return all(not ready(port) and metric(port, "segue_scorer_lists_total") for port in ports)

    until(both_work, "both to have made lists")
    gone, _ = world.scorers.pop(0)
    gone.terminate()
    assert gone.wait(20) == 0
    for user in users:
        world.newest(user, world.plays(user, 3))
