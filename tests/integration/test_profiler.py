"""The profiler as a process on real Kafka and Redis: whatever happens, the profiles are the fold of the log."""

import signal
import time
from collections.abc import Iterator

import pytest

from models.profile import SEGMENT, Profile
from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.events import Listen
from schemas.profile import ProfileChanged
from schemas.topics import DEAD, LISTENS, PROFILES
from services.local.stack import LocalStack
from services.runtime import kafka_clients
from services.runtime.keys import cursor_key
from tests.integration.profilers import World, past_of, read_all, wait_for


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack)
        yield world
        world.stop()
        world.producer.close()
        world.redis.close()


@pytest.fixture(autouse=True)
def _no_worker_left(world: World) -> Iterator[None]:
    yield
    world.stop()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_listens_become_profiles_and_notices(world: World, loop: str) -> None:
    world.start(loop)
    world.listen(300)
    world.check()
    newest: dict[str, int] = {}
    for record in read_all(world, PROFILES.name):
        notice = decode(ProfileChanged, record.value)
        assert (record.partition, record.key) == (notice.partition, notice.user_id.encode())
        newest[notice.user_id] = notice.version
    versions = {user: Profile.decode(bytes(world.redis.get(key) or b"")).version for key, user in keys_of(world)}
    assert newest == versions


def keys_of(world: World) -> list[tuple[str, str]]:
    return [(key.decode(), key.decode().partition("}:")[2]) for key in world.redis.keys("profile:*")]


def test_a_past_grows_by_whole_segments_once_whatever_is_killed(world: World) -> None:
    world.start()
    for _ in range(3):
        world.listen(900, users=2)
        world.workers[-1].kill()
        world.start()
    world.start("bulk")
    world.listen(900, users=2)
    world.check()
    pasts = world.redis.keys("past:*")
    assert len(pasts) == 2
    world.stop()
    for key in world.redis.keys("profile:*") + world.redis.keys("cursor:*"):
        world.redis.delete(key)  # and not the pasts
    world.start("bulk")
    world.check()
    assert {world.redis.strlen(key) // (8 * SEGMENT) for key in pasts} <= {5, 6, 7}  # of 1,800 plays, 256 to 511 recent


def test_kill_9_under_load(world: World) -> None:
    world.start()
    for _ in range(3):
        world.listen(400)
        world.workers[-1].kill()
        world.start()
    world.listen(200)
    world.check()


def test_two_workers_share_the_partitions(world: World) -> None:
    world.start()
    world.listen(200)
    world.check()  # so the first one is up, and heeds a signal
    world.start()
    for _ in range(5):
        world.listen(200, users=40)
        time.sleep(0.3)
    world.workers[0].send_signal(signal.SIGTERM)
    assert world.workers[0].wait(15) == 0
    world.listen(200, users=40)
    world.check()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_an_emptied_redis_is_rebuilt(world: World, loop: str) -> None:
    world.start(loop)
    world.listen(100)
    world.check()
    for _ in range(5):  # also while batches of several partitions are under way: none may be applied over the gap
        world.redis.flushall()
        world.listen(200, users=40)
        world.check()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_a_damaged_profile_is_made_anew_from_the_log(world: World, loop: str) -> None:
    worker = world.start(loop)
    world.listen(600, users=2)
    world.check()
    worker.terminate()
    assert worker.wait(15) == 0
    for key, user in keys_of(world):
        if user in ("u0", "u1"):
            world.redis.setrange(key, 60, b"damaged")
            world.redis.delete(past_of(key))
    worker = world.start(loop)
    world.listen(20, users=2)
    world.check()
    assert worker.poll() is None


def test_a_redis_that_was_away(world: World) -> None:
    world.start()
    world.listen(100)
    world.check()
    world.stack.redis.pause()
    world.listen(300)
    time.sleep(2)
    world.stack.redis.resume()
    world.check()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_the_marks_of_transactions_are_no_listens_that_were_left_out(world: World, loop: str) -> None:
    worker = world.start(loop)
    sender = kafka_clients.producer(world.kafka, transactional_id="a-producer-of-listens")
    sender.init_transactions()
    for turn in range(6):
        sender.begin_transaction()
        for number in range(9):
            event = Listen(f"tx-{loop}{turn}-{number}", f"u{number % 5}", f"t{number}", int(time.time() * 1000))
            sender.send(LISTENS.name, encode(event), key=event.user_id.encode())
        sender.commit_transaction()
    sender.close()
    wait_for(lambda: world.metric("empty_offsets_total") > 0, "marks between listens", world.metrics)
    wait_for(lambda: world.metric("lag_records") == 0, "marks at the end to wait for nobody", world.metrics)
    world.listen(20)  # behind the last mark, so that the log ends with a listen
    world.check()
    assert worker.poll() is None
    assert world.metric("gone_offsets_total") == 0


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_profiles_of_another_log_are_refused(world: World, loop: str, capfd: pytest.CaptureFixture[str]) -> None:
    world.redis.hset(cursor_key(3), mapping={"folded": 1_000_000, "noticed": 1_000_000})
    worker = world.start(loop)
    assert worker.wait(30) == 1
    assert "partition 3 of listens ends at offset" in capfd.readouterr().err
    world.redis.flushall()


@pytest.mark.parametrize("loop", ["faust", "bulk"])
def test_told_to_stop_while_the_broker_is_away_it_ends(world: World, loop: str) -> None:
    worker = world.start(loop)
    world.listen(100)
    world.check()
    world.stack.redis.pause()
    world.listen(100)
    time.sleep(1)
    world.stack.kafka.pause()
    world.stack.redis.resume()  # profiles are committed now, and their notices wait for the broker
    time.sleep(2)
    began = time.monotonic()
    worker.terminate()
    try:
        assert worker.wait(30) == 0
        took = time.monotonic() - began
    finally:
        world.stack.kafka.resume()
    assert took < 6.5, took  # 5, and a busy machine
    world.start(loop)
    world.listen(20)
    world.check()


def test_bad_messages_become_dead_letters_that_say_why(world: World) -> None:
    worker = world.start()
    before = len(read_all(world, DEAD.name))
    for value in (b"{", b"null", b'{"event_id":"x"}', b"\xff\xfe", b'{"event_id":1,"user_id":"u0"}'):
        world.producer.send(LISTENS.name, value, key=b"u0").get(30)
    world.producer.send(LISTENS.name, None, key=b"u0").get(30)
    world.listen(10)
    world.check()
    letters = read_all(world, DEAD.name)[before:]
    assert [letter.value for letter in letters[:2]] == [b"{", b"null"]
    reasons = [DeadLetter.from_headers(letter.headers) for letter in letters]
    assert [r.cause for r in reasons] == ["bad-json", "bad-schema", "bad-schema", "bad-json", "bad-schema", "empty"]
    assert "`user_id`" in reasons[2].message
    assert "$.event_id" in reasons[4].message
    assert all(reason.topic == LISTENS.name for reason in reasons)
    assert worker.poll() is None
