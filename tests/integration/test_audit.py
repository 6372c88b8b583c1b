"""The audit on real Kafka and Redis: clean after a clean run, and every damage under its right name."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from kafka import KafkaProducer, TopicPartition
from redis import Redis
from typer.testing import CliRunner

from models.admission import admit
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import DEAD, LISTENS, RECOMMENDATIONS, RELEASES
from services.audit.app import audit
from services.audit.result import Audit, Kept, Letters
from services.audit.settings import AuditOptions, AuditSettings
from services.cli.__main__ import app
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.bulk_producer import partition_of
from services.runtime.kafka_log import KafkaLog, Record
from services.runtime.keys import cursor_key, profile_key
from services.runtime.settings import KafkaSettings, RedisSettings
from services.trainer.columns import Record as Row
from services.trainer.columns import listens
from services.trainer.history import History, Identity

USERS = 12


class World:
    """One broker and one Redis, filled once by a real profiler; a test may damage Redis, it is mended after it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.settings = AuditSettings(KafkaSettings(bootstrap=stack.bootstrap), RedisSettings(url=stack.redis_url))
        topics.apply(self.settings.kafka)
        self.redis = Redis.from_url(stack.redis_url)
        self.producer: KafkaProducer = kafka_clients.producer(self.settings.kafka)
        self.numbers = count()

    def listen(self, n: int) -> None:
        now = int(time.time() * 1000)
        events = [
            Listen(f"e{k}", f"u{k % USERS}", f"t{k % 37}", now + k, "love" if k % 50 == 49 else "play", f"a{k % 7}")
            for k in (next(self.numbers) for _ in range(n))
        ]
        for future in [self.send(encode(event), event.user_id.encode()) for event in events]:
            future.get(30)

    def send(self, value: bytes | None, key: bytes) -> "kafka_clients.Any":
        return self.producer.send(LISTENS.name, value, key=key)

    def profiler(self, **more: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap, "SEGUE_REDIS_URL": self.stack.redis_url,
            "SEGUE_PROFILER_LOOP": "bulk", "SEGUE_PROFILER_METRICS_PORT": "0", **more,
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "services.profiler"], env=environment)

    def fold_all(self) -> None:
        """What a profiler does, without a process: fold what is new, a letter for what is refused."""
        with KafkaLog(self.settings.kafka) as log:
            for number, span in log.spans(LISTENS.name).items():
                first = int(self.redis.hget(cursor_key(number), "folded") or -1) + 1
                for record in [r for batch in log.read(LISTENS.name, number, first, span.end) for r in batch]:
                    self.fold(number, record)

    def fold(self, number: int, record: Record) -> None:
        try:
            listen = admit(record.value, record.key, record.time)
        except Poison as poison:
            letter = DeadLetter.of(poison, LISTENS.name, number, record.offset, record.time, "test")
            self.producer.send(DEAD.name, record.value, key=record.key, headers=letter.headers()).get(30)
        else:
            data = self.redis.get(self.key(listen.user_id))
            profile = Profile.decode(bytes(data)) if data else Profile()
            fold(profile, listen, record.offset, TasteSettings())
            self.redis.set(self.key(listen.user_id), profile.encode())
        self.redis.hset(cursor_key(number), "folded", record.offset)

    def audit(self, **options: object) -> Audit:
        return audit(self.settings, AuditOptions(**options))  # type: ignore[arg-type]  # a test's shorthand

    def key(self, user: str) -> str:
        return profile_key(self.partition(user), user)

    def partition(self, user: str) -> int:
        return partition_of(user.encode(), LISTENS.partitions)

    def profile(self, user: str) -> Profile:
        return Profile.decode(bytes(self.redis.get(self.key(user)) or b""))


@pytest.fixture(scope="module")
def filled() -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack)
        world.listen(600)
        world.send(b"{", b"u0").get(30)
        world.send(encode(Listen("e591", "u3", "t3", int(time.time() * 1000))), b"u3").get(30)  # a producer's retry
        assert world.profiler(SEGUE_PROFILER_STOP_WHEN_IDLE_S="1").wait(30) == 0
        yield world
        world.producer.close()
        world.redis.close()


@pytest.fixture
def world(filled: World) -> Iterator[World]:
    filled.fold_all()
    before = {key: filled.redis.dump(key) for key in filled.redis.scan_iter()}
    yield filled
    filled.redis.flushall()
    for key, data in before.items():
        filled.redis.restore(key, 0, data)


def test_what_a_profiler_left_is_clean(filled: World) -> None:
    found = filled.audit()
    assert found.clean, found.examples
    total = found.total
    assert (total.events, total.admitted, total.dead) == (602, 601, 1)
    assert (total.profiles, total.equal, total.repeats, total.behind) == (USERS, USERS, 1, 0)


def test_a_dropped_profile_is_lost(world: World) -> None:
    profile = world.profile("u1")
    world.redis.delete(world.key("u1"))
    found = world.audit()
    assert not found.clean
    assert (found.total.lost, found.total.doubled, found.total.other) == (1, 0, 0)
    assert found.total.events_lost == profile.plays + profile.skips
    assert [(e.kind, e.partition, e.user_id) for e in found.examples] == [("lost", world.partition("u1"), "")]
    assert world.audit(show_ids=True).examples[0].user_id == "u1"


@pytest.mark.parametrize("kind", ["play", "love"])
def test_an_event_folded_twice_is_doubled(world: World, kind: str) -> None:
    users = {f"u{k % USERS}": k for k in range(600) if (k % 50 == 49) == (kind == "love")}
    user, number = next(iter(users.items()))
    profile = world.profile(user)
    profile.seen.clear()  # the guard is off
    now = profile.newest * 1000
    again = Listen(f"e{number}", user, f"t{number % 37}", now, kind, f"a{number % 7}")  # type: ignore[arg-type]
    assert fold(profile, again, profile.version, TasteSettings())
    world.redis.set(world.key(user), profile.encode())
    found = world.audit()
    assert (found.total.lost, found.total.doubled, found.total.other) == (0, 1, 0), found.examples
    assert found.total.events_doubled == 1
    assert found.total.equal == USERS - 1


def test_every_flipped_byte_is_found_and_none_is_called_lost_or_doubled(world: World) -> None:
    data = bytearray(bytes(world.redis.get(world.key("u2")) or b""))
    # Of each column a byte: weight, hour, recent, event id, count, magic.
    for at in (0, 12, 30, 80, len(data) // 2, len(data) - 90, len(data) - 3):
        damaged = data.copy()
        damaged[at] ^= 0x10
        world.redis.set(world.key("u2"), bytes(damaged))
        total = world.audit(lists=False, letters=False).total
        assert (total.lost, total.doubled) == (0, 0), at
        assert total.other + total.unreadable == 1, at


def test_a_cursor_set_forward_within_the_log_shows_as_lost(world: World) -> None:
    world.listen(48)
    for partition in range(LISTENS.partitions):
        if world.redis.hget(cursor_key(partition), "folded") is not None:
            world.redis.hincrby(cursor_key(partition), "folded", 1)
    found = world.audit()
    partitions = {world.partition(f"u{k}") for k in range(USERS)}
    assert (found.total.lost, found.total.events_lost, found.total.ahead) == (len(partitions),) * 2 + (0,)
    assert found.total.behind == 48 - len(partitions)
    world.fold_all()  # goes on behind the gap
    assert world.audit().total.events_lost == len(partitions)
    world.redis.flushall()
    world.fold_all()
    assert world.audit().clean


def test_a_cursor_beyond_the_log_is_ahead(world: World) -> None:
    world.fold_all()
    world.redis.hincrby(cursor_key(world.partition("u1")), "folded", 7)
    found = world.audit()
    assert (found.total.ahead, found.total.lost, found.total.differing) == (7, 0, 0)
    assert [e.kind for e in found.examples] == ["ahead"]
    assert not found.clean


def test_a_cursor_set_back_is_told_as_what_it_leads_to(world: World) -> None:
    world.redis.hincrby(cursor_key(world.partition("u1")), "folded", -5)
    found = world.audit()
    assert found.total.other >= 1
    assert found.total.doubled == 0
    assert all("beyond the cursor" in example.says for example in found.examples)


def test_a_profile_of_nobody_is_extra(world: World) -> None:
    world.redis.set(profile_key(0, "nobody"), Profile().encode())
    world.redis.set(profile_key(77, "nobody"), Profile().encode())
    found = world.audit()
    assert found.total.extra == 2
    assert {e.partition for e in found.examples} == {0, 77}


def test_other_taste_settings_are_seen_as_other(world: World) -> None:
    settings = AuditSettings(world.settings.kafka, world.settings.redis, TasteSettings(play=2.0))
    found = audit(settings).total
    assert (found.other, found.lost, found.doubled) == (USERS, 0, 0)


def announce(world: World) -> None:
    release = ReleaseAnnounced("r1", "nowhere", "0" * 64, 1)
    world.producer.send(RELEASES.name, encode(release), key=b"current").get(30)


def publish(world: World, versions: dict[str, int], track: str = "t1") -> None:
    for user, version in versions.items():
        partition = world.partition(user)
        made = Recommendations(
            f"{partition}-{version}-r1", user, partition, version, "r1", 1, 1, 1, [Item(track, 1.0, "", "popular")]
        )
        world.producer.send(RECOMMENDATIONS.name, encode(made), user.encode(), partition=partition).get(30)


def test_lists_are_compared_with_profiles(world: World) -> None:
    lists = world.audit(grace_s=0.0).lists
    assert lists is not None
    assert (lists.release, lists.checked, lists.stale, lists.clean) == ("", 0, 0, True)  # nobody can have one yet
    announce(world)
    newest = {f"u{k}": world.profile(f"u{k}").version for k in range(USERS)}
    lists = world.audit(grace_s=0.0).lists
    assert lists is not None
    assert (lists.release, lists.checked, lists.stale, lists.without) == ("r1", USERS, USERS, USERS)
    publish(world, newest)
    assert world.audit(grace_s=0.0).clean
    u3, u4, u5 = (newest[user] for user in ("u3", "u4", "u5"))
    publish(world, {"u3": u3 - 3})  # after the right one
    publish(world, {"u4": u4}, "t2")  # the same id
    publish(world, {"u5": u5 + 1})
    publish(world, {"stranger": 1})
    world.send(encode(Listen("e-new", "u6", "t1", int(time.time() * 1000))), b"u6").get(30)
    world.fold_all()
    found = world.audit(grace_s=0.2)
    lists = found.lists
    assert lists is not None
    assert (lists.stale, lists.without, lists.overtaken, lists.contradicting) == (1, 0, 1, 1)
    assert (lists.beyond, lists.orphans, lists.fresh) == (1, 1, USERS - 2)
    kinds = {example.kind for example in found.examples}
    assert kinds == {"stale", "overtaken", "contradicting", "beyond", "orphan"}
    assert found.total.clean
    assert not found.clean
    threading.Timer(0.5, lambda: publish(world, {"u3": u3, "u6": world.profile("u6").version})).start()
    lists = world.audit(grace_s=10.0).lists  # a list under way is waited for
    assert lists is not None
    assert (lists.stale, lists.overtaken) == (0, 0)


def letters_of(world: World) -> Letters:
    found = world.audit(lists=False).letters
    assert found is not None
    return found


def test_dead_letters_are_compared_with_the_log(world: World) -> None:
    before = letters_of(world)
    world.send(b"", b"u1").get(30)
    partition, offset = (sent := world.send(None, b"u1").get(30)).partition, sent.offset
    world.fold_all()
    good = letters_of(world)
    assert (good.letters, good.refused) == (before.letters + 2, before.refused + 2)
    assert (good.missing, good.clean) == (0, True)

    def letter(at: int, value: bytes | None, cause: str = "empty") -> None:
        headers = DeadLetter(cause, "", LISTENS.name, partition, at, 1, "test").headers()
        world.producer.send(DEAD.name, value, key=b"u1", headers=headers).get(30)

    letter(offset, None)  # again
    letter(offset - 2, b"")  # a good one
    letter(10**6, b"")  # not read yet
    world.producer.send(DEAD.name, b"?", key=b"u1").get(30)
    world.send(b"[]", b"u1").get(30)
    world.redis.hincrby(cursor_key(partition), "folded", 1)  # passed over without a letter
    letters = letters_of(world)
    assert (letters.refused, letters.missing, letters.wrong) == (before.refused + 3, 1, 1)
    assert letters.repeated == before.repeated + 1
    assert (letters.unreadable, letters.altered) == (1, 0)
    for cut, altered in ((b"[1,1", 0), (b"[1,2", 1)):
        large = world.send(b"[" + b"1," * 300_000 + b"1]", b"u1").get(30)
        reason = DeadLetter("too-large", "", LISTENS.name, partition, large.offset, 1, "test", 600_003)
        world.producer.send(DEAD.name, cut, key=b"u1", headers=reason.headers()).get(30)
        world.redis.hset(cursor_key(partition), "folded", large.offset)
        letters = letters_of(world)
        assert (letters.missing, letters.altered) == (1, altered)
    letter(offset + 1, b"{}", "bad-schema")
    letters = letters_of(world)
    assert (letters.missing, letters.altered) == (0, 2)


def keep(world: World, folder: Path) -> None:
    """What a trainer does: the log in segments of up to 20 offsets."""
    with KafkaLog(world.settings.kafka) as log, kafka_clients.admin(world.settings.kafka) as admin:
        cluster = admin.describe_cluster()["cluster_id"]
        identity = Identity(cluster, LISTENS.name, str(admin.describe_topics([LISTENS.name])[0]["topic_id"]))
        history = History(folder, identity)
        for number, span in log.spans(LISTENS.name).items():
            for first in range(span.first, span.end, 20):
                last = min(first + 20, span.end) - 1
                records = [r for batch in log.read(LISTENS.name, number, first, last + 1) for r in batch]
                rows, _ = listens([Row(r.offset, r.time, r.key, r.value) for r in records])
                history.append(number, first, last, rows)
        history.close()


def test_the_history_is_compared_with_the_log(world: World, tmp_path: Path) -> None:
    keep(world, tmp_path)

    def look() -> Kept:
        kept = world.audit(history=tmp_path, lists=False, letters=False).history
        assert kept is not None
        return kept

    kept = look()
    assert kept.clean
    assert (kept.listens, kept.behind) == (world.audit(lists=False, letters=False).total.admitted, 0)
    world.listen(USERS)
    assert (look().clean, look().behind) == (True, USERS)
    part = tmp_path / "listens" / str(world.partition("u1"))
    first, second, *_, last = sorted(part.glob("*.parquet"))
    rows = pl.read_parquet(first)
    pl.concat([rows.head(3), rows.head(1), rows.slice(5)]).write_parquet(first)
    (aside := part / ".aside-x").write_bytes(b"")
    behind = len(pl.read_parquet(last))
    last.unlink()
    kept = look()
    assert (kept.doubled, kept.missing, kept.foreign, kept.aside, kept.gaps) == (1, 2, 0, 1, 0)
    assert kept.behind == USERS + behind
    aside.unlink()
    second.unlink()
    assert look().gaps == 20
    (tmp_path / "identity.json").write_text('{"cluster":"x","topic":"listens","topic_id":"y"}')
    assert "not of listens" in look().identity


def test_the_command_says_it_in_a_table_and_as_json(world: World) -> None:
    env = {
        "SEGUE_KAFKA_BOOTSTRAP": world.stack.bootstrap, "SEGUE_REDIS_URL": world.stack.redis_url, "COLUMNS": "160",
    }  # fmt: skip
    done = CliRunner(env=env).invoke(app, ["audit", "--no-lists", "--no-letters", "--wait", "5"])
    assert done.exit_code == 0, done.output
    assert "clean: everything is what the log says" in done.stdout
    world.listen(5)
    done = CliRunner(env=env).invoke(app, ["audit", "--no-lists", "--no-letters"])
    assert (done.exit_code, "it is 5 events behind" in done.stdout) == (0, True)
    done = CliRunner(env=env).invoke(app, ["audit", "--no-lists", "--no-letters", "--wait", "0.1"])
    assert (done.exit_code, "still 5 offsets to fold" in done.stdout) == (1, True)
    world.redis.delete(world.key("u3"))
    done = CliRunner(env=env).invoke(app, ["audit", "--no-lists", "--no-letters"])
    assert done.exit_code == 1
    assert "there is no profile in Redis" in done.stdout
    assert "u3" not in done.stdout
    done = CliRunner(env=env).invoke(app, ["audit", "--no-lists", "--json", "--show-ids"])
    document = json.loads(done.stdout)
    assert (document["clean"], document["total"]["lost"], document["lists"]) == (False, 1, None)
    assert document["examples"][0]["user_id"] == "u3"


def test_a_log_that_retention_has_cut_is_audited_as_far_as_it_goes(world: World) -> None:
    mine = world.partition("u1")
    others = {f"u{k}" for k in range(USERS) if world.partition(f"u{k}") == mine}
    with kafka_clients.admin(world.settings.kafka) as admin:
        admin.delete_records({TopicPartition(LISTENS.name, mine): 20})
    user = next(f"new{k}" for k in count() if world.partition(f"new{k}") == mine)
    world.send(encode(Listen("e-new-1", user, "t1", int(time.time() * 1000))), user.encode()).get(30)
    world.fold_all()
    found = world.audit(lists=False, letters=False)
    assert found.clean, found.examples
    assert found.partitions[mine].first == found.total.gone == 20
    assert found.total.unauditable == len(others)
    assert found.total.equal == found.total.profiles - len(others)
    world.redis.delete(world.key("u1"))
    assert world.audit(lists=False, letters=False).total.lost == 1
    world.redis.hset(cursor_key(mine), "folded", 14)
    assert world.audit(lists=False, letters=False).total.unfolded_gone == 5


def test_under_load_nothing_that_moves_is_a_difference(world: World) -> None:
    worker = world.profiler()
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            world.listen(20)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        until, moved = time.monotonic() + 25, set()
        while len(moved) < 8:
            assert time.monotonic() < until
            found = world.audit(lists=False, letters=False)
            assert found.clean, found.examples
            assert found.total.equal + found.total.unauditable == found.total.profiles >= USERS
            moved.add(tuple(partition.cursor for partition in found.partitions))
    finally:
        stop.set()
        thread.join()
    try:
        found = world.audit(wait_s=20, lists=False, letters=False)
        assert (found.clean, found.total.behind) == (True, 0)
    finally:
        worker.terminate()
        assert worker.wait(15) == 0
