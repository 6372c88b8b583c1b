"""Imports into a real broker: again, interrupted, at once, from elsewhere; every event once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as AioPartition
from kafka import TopicPartition

from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.topics import LISTENS, TRACKS
from schemas.track import Track
from services.importer.app import Cluster, check, identify, run
from services.importer.loading import load
from services.importer.rows import Options
from services.importer.state import locked
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.bulk_producer import BulkProducer, partition_of
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import admin, consumer, producer
from services.runtime.settings import KafkaSettings

NOW_MS = 1_790_000_000_000
OPTIONS = Options(now_ms=NOW_MS)
LIMIT_S = 90.0
IMPORT = """
import asyncio, os, signal, sys
from pathlib import Path
from services.importer.app import run
from services.runtime.bulk_producer import BulkProducer
from services.importer.rows import Options
from services.runtime.settings import KafkaSettings
bootstrap, file, state, now, then, most = sys.argv[1:]
acknowledged, send = 0, BulkProducer.send
async def counted(*arguments):  # watched from outside it would be over before the test had looked twice
    global acknowledged
    sent = await send(*arguments)
    acknowledged += sum(each.count for each in sent) if arguments[0].topic == "listens" else 0
    if acknowledged >= int(most):
        os.kill(os.getpid(), signal.SIGKILL) if then == "die" else await asyncio.sleep(1)
    return sent
BulkProducer.send = counted
run([Path(file)], KafkaSettings(bootstrap=bootstrap), Options(now_ms=int(now)), state=Path(state))
"""


def command(kafka: KafkaSettings, file: Path, state: Path, then: str, most: int) -> list[str]:
    """An import in a process of its own that will die, or dawdle, when so many are acknowledged."""
    return [sys.executable, "-c", IMPORT, kafka.bootstrap, str(file), str(state), str(NOW_MS), then, str(most)]


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    """One broker for these tests; each has users of its own and counts only theirs."""
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(settings)
        yield settings


def plays(folder: Path, who: str, count: int, users: int = 5, name: str = "plays.parquet") -> Path:
    """Made-up plays, out of order, some of them just alike."""
    rows = pl.DataFrame({"n": range(count)}).with_columns((pl.col("n") * 7919 % count).alias("m"))
    rows.select(
        pl.format("{}-{}", pl.lit(who), pl.col("m") % users).alias("user_id"),
        (1_700_000_000 + pl.col("m") // 3).alias("listened_at"),
        pl.format("Artist {}", pl.col("m") % 50).alias("artist"),
        pl.format("{} song {}", pl.lit(who), pl.col("m") % 500).alias("track"),
        (pl.col("m") % 4 * 60_000).alias("ms_played"),
    ).write_parquet(folder / name)
    return folder / name


def records(kafka: KafkaSettings, topic: str) -> list[tuple[int, bytes, bytes]]:
    """(partition, key, value) of the whole topic."""

    async def read() -> list[tuple[int, bytes, bytes]]:
        reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        await reader.start()
        try:
            partitions = [AioPartition(topic, number) for number in range(partitions_of[topic])]
            reader.assign(partitions)
            ends, found = await reader.end_offsets(partitions), []
            while [tp for tp, end in ends.items() if await reader.position(tp) < end]:
                for tp, batch in (await reader.getmany(timeout_ms=500)).items():
                    found += [(tp.partition, record.key, record.value) for record in batch]
            return found
        finally:
            await reader.stop()

    partitions_of = {LISTENS.name: LISTENS.partitions, TRACKS.name: TRACKS.partitions}
    return asyncio.run(asyncio.wait_for(read(), LIMIT_S))


def listens(kafka: KafkaSettings, who: str) -> list[tuple[int, Listen]]:
    """(partition, listen) of the users whose name begins so, each under its user's key."""
    prefix = f"{who}-".encode()
    found = [
        (p, key, decode(Listen, value)) for p, key, value in records(kafka, LISTENS.name) if key.startswith(prefix)
    ]
    assert all(key == listen.user_id.encode() for _, key, listen in found)
    return [(partition, listen) for partition, _, listen in found]


def ids(kafka: KafkaSettings, who: str) -> Counter[str]:
    return Counter(listen.event_id for _, listen in listens(kafka, who))


def tracks(kafka: KafkaSettings, who: str) -> list[Track]:
    found = [decode(Track, value) for _, _, value in records(kafka, TRACKS.name)]
    return [track for track in found if track.title.startswith(f"{who} ")]


def end(kafka: KafkaSettings, topic: str = LISTENS.name) -> int:
    reader = consumer(kafka)
    partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic)]
    total = sum(reader.end_offsets(partitions).values())
    reader.close()
    return int(total)


def wait(for_what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not for_what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_an_import_sends_all_and_a_second_one_nothing(kafka: KafkaSettings, tmp_path: Path) -> None:
    file, state = plays(tmp_path, "twice", 3000), tmp_path / "state"
    first = run([file], kafka, OPTIONS, state=state)
    wanted = load([file], options=OPTIONS).listens
    assert (first.listens, first.sent, first.already, first.tracks_sent) == (3000, 3000, 0, 500)
    found = listens(kafka, "twice")
    assert sorted(listen.event_id for _, listen in found) == sorted(wanted["event_id"])
    second = run([file], kafka, OPTIONS, state=state)
    assert (second.sent, second.already, second.tracks_sent) == (0, 3000, 0)
    assert ids(kafka, "twice") == Counter(wanted["event_id"])
    assert len(tracks(kafka, "twice")) == 500


def test_a_listener_is_in_order_and_where_other_clients_put_him(kafka: KafkaSettings, tmp_path: Path) -> None:
    run([plays(tmp_path, "order", 70_000, users=40)], kafka, OPTIONS, state=tmp_path / "state")
    found = listens(kafka, "order")
    for user in {listen.user_id for _, listen in found}:
        times = [listen.listened_at for _, listen in found if listen.user_id == user]
        assert times == sorted(times)
    client = producer(kafka)
    for user, partition in {(listen.user_id, partition) for partition, listen in found}:
        assert partition == partition_of(user.encode(), LISTENS.partitions)
        value = encode(Listen(f"other-{user}", user, "t", NOW_MS))
        assert client.send(LISTENS.name, key=user.encode(), value=value).get(30).partition == partition
    client.close()


def test_a_lost_ledger_or_another_machine_sends_nothing_again(kafka: KafkaSettings, tmp_path: Path) -> None:
    file = plays(tmp_path, "moved", 2000)
    run([file], kafka, OPTIONS, state=tmp_path / "here")
    there = run([file], kafka, OPTIONS, state=tmp_path / "there")
    assert (there.sent, there.already, there.tracks_sent) == (0, 2000, 0)
    assert set(ids(kafka, "moved").values()) == {1}


def test_what_others_sent_between_two_imports_is_known_too(kafka: KafkaSettings, tmp_path: Path) -> None:
    part, whole = plays(tmp_path, "mixed", 1000), plays(tmp_path, "mixed", 1500, name="whole.parquet")
    run([part], kafka, OPTIONS, state=tmp_path / "here")
    client = producer(kafka)
    client.send(LISTENS.name, key=b"mixed-app", value=encode(Listen("app-1", "mixed-app", "t", NOW_MS)))
    client.send(LISTENS.name, key=b"mixed-app", value=b"no listen at all")
    client.close()
    run([whole], kafka, OPTIONS, state=tmp_path / "there")
    again = run([whole], kafka, OPTIONS, state=tmp_path / "here")
    assert again.sent == 0
    line = tmp_path / "app.jsonl"
    line.write_bytes(encode(Listen("app-1", "mixed-app", "t", NOW_MS)))
    assert run([line], kafka, OPTIONS, state=tmp_path / "here").already == 1


@pytest.mark.parametrize("sent_before", [1, 30_000, 60_000])
def test_killed_anywhere_it_goes_on_where_it_stopped(kafka: KafkaSettings, tmp_path: Path, sent_before: int) -> None:
    who = f"killed{sent_before}"
    file, state, before = plays(tmp_path, who, 200_000, users=50), tmp_path / "state", end(kafka)
    importer = command(kafka, file, state, "die", sent_before)
    assert subprocess.run(importer, stderr=subprocess.DEVNULL, check=False).returncode == -signal.SIGKILL
    assert sent_before <= end(kafka) - before < 200_000
    resumed = run([file], kafka, OPTIONS, state=state)
    assert resumed.sent > 0
    assert resumed.sent + resumed.already == 200_000
    found = ids(kafka, who)
    assert len(found) == 200_000
    assert set(found.values()) == {1}


def test_ctrl_c_ends_it_soon_and_keeps_what_was_sent(kafka: KafkaSettings, tmp_path: Path) -> None:
    file, state, before = plays(tmp_path, "ctrlc", 150_000, users=50), tmp_path / "state", end(kafka)
    importer = command(kafka, file, state, "dawdle", 1)
    with subprocess.Popen(importer, stderr=subprocess.PIPE, text=True) as importing:
        wait(lambda: end(kafka) > before)
        importing.send_signal(signal.SIGINT)
        told = time.monotonic()
        text = importing.communicate()[1]
        assert time.monotonic() - told < 10
    assert text.strip().endswith("KeyboardInterrupt")
    assert "never retrieved" not in text
    sent = end(kafka) - before
    assert 0 < sent < 150_000
    assert len(list(state.rglob("listens-*.npz"))) == 1
    assert run([file], kafka, OPTIONS, state=state).already == sent
    assert set(ids(kafka, "ctrlc").values()) == {1}


def test_a_check_sends_nothing_and_tells_what_is_wrong(kafka: KafkaSettings, tmp_path: Path) -> None:
    file, before = tmp_path / "x.csv", (end(kafka), end(kafka, TRACKS.name))
    file.write_text("user_id,timestamp,artist,track\ncheck-1,1700000000,Ann,Song\ncheck-1,soon,Ann,Song\n")
    told: list[str] = []
    summary = check([file], OPTIONS, tell=lambda problem: told.append(str(problem)))
    assert (summary.listens, summary.sent, summary.bad) == (1, 0, 1)
    assert told == ["x.csv: row 3: listened_at: is missing or no time that can be read"]
    assert (end(kafka), end(kafka, TRACKS.name)) == before


def test_bad_rows_are_skipped_and_the_rest_goes_in(kafka: KafkaSettings, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    rows = [f"bad-1,{1_700_000_000 + n if n % 2 else 'soon'},Ann,bad song" for n in range(100)]
    file.write_text("\n".join(["user_id,timestamp,artist,track", *rows]))
    told: list[str] = []
    made = run([file], kafka, OPTIONS, state=tmp_path / "s", tell=lambda problem: told.append(str(problem)), shown=3)
    assert (made.sent, made.bad, len(told), made.exit_status) == (50, 50, 3, 0)
    file.write_text("nothing\n")
    assert run([file], kafka, OPTIONS, form="csv", state=tmp_path / "s").exit_status == 1


def test_tracks_come_first_and_listens_never_make_them_poorer(kafka: KafkaSettings, tmp_path: Path) -> None:
    file, state, whole = plays(tmp_path, "rich", 100), tmp_path / "state", tmp_path / "tracks.jsonl"
    track = Track("Artist 7␟rich song 7", "rich song 7", "Artist 7", genre="jazz", lyrics="la")
    whole.write_bytes(encode(track))
    assert run([file], kafka, OPTIONS, track_files=[whole], state=state).tracks_sent == 100
    assert run([file], kafka, OPTIONS, track_files=[whole], state=state).tracks_sent == 0
    changed = Track(track.track_id, track.title, track.artist, genre="soul")
    whole.write_bytes(encode(changed))
    assert run([], kafka, OPTIONS, track_files=[whole], state=state).tracks_sent == 1
    assert run([file], kafka, OPTIONS, state=state).tracks_sent == 0
    newest = {found.track_id: found for found in tracks(kafka, "rich")}
    assert newest[track.track_id] == changed


def test_more_than_memory_holds_goes_in_chunks(kafka: KafkaSettings, tmp_path: Path) -> None:
    files = [plays(tmp_path, f"chunk-{n}", 1000, name=f"{n}.parquet") for n in range(4)]
    made = run([*files, files[0]], kafka, OPTIONS, state=tmp_path / "state", memory_rows=1500)
    assert (made.chunks, made.sent, made.already) == (3, 4000, 1000)
    assert set(ids(kafka, "chunk").values()) == {1}


def test_files_that_overlap_in_one_import_are_sent_once(kafka: KafkaSettings, tmp_path: Path) -> None:
    files = [plays(tmp_path, "over", 500, name=f"{n}.parquet") for n in range(2)]
    assert run(files, kafka, OPTIONS, state=tmp_path / "state").sent == 500


def test_a_second_import_at_the_same_time_is_refused(kafka: KafkaSettings, tmp_path: Path) -> None:
    cluster = identify(kafka)
    with (
        locked(tmp_path / "import" / cluster.cluster_id),
        pytest.raises(Fatal, match=rf"another import .*process {os.getpid()}"),
    ):
        run([plays(tmp_path, "lock", 10)], kafka, OPTIONS, state=tmp_path)


def test_a_topic_made_anew_is_another_topic(tmp_path: Path) -> None:
    with LocalStack(redis=False) as stack:
        kafka = KafkaSettings(bootstrap=stack.bootstrap)
        with pytest.raises(Fatal, match="segue topics apply"):
            run([plays(tmp_path, "anew", 500, users=40)], kafka, OPTIONS, state=tmp_path / "state")
        topics.apply(kafka)
        file = plays(tmp_path, "anew", 500, users=40)
        assert run([file], kafka, OPTIONS, state=tmp_path / "state").sent == 500
        with admin(kafka) as client:
            client.delete_topics([LISTENS.name])
        wait(lambda: _applied(kafka))
        run(
            [plays(tmp_path, "longer", 3000, users=40, name="longer.parquet")], kafka, OPTIONS, state=tmp_path / "there"
        )
        assert run([file], kafka, OPTIONS, state=tmp_path / "state").sent == 500
        assert set(ids(kafka, "anew").values()) == {1}


def _applied(kafka: KafkaSettings) -> bool:
    """Deleting is done in the background."""
    with suppress(Fatal, BrokerAway):
        topics.apply(kafka)
        return isinstance(identify(kafka), Cluster) and end(kafka) == 0
    return False


def test_a_broker_killed_and_restarted_midway_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with LocalStack(redis=False) as stack:
        kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(kafka)
        file, state = plays(tmp_path, "restart", 200_000, users=50), tmp_path / "state"
        importer = command(kafka, file, state, "dawdle", 1)
        with subprocess.Popen(importer, stderr=subprocess.DEVNULL) as importing:
            wait(lambda: end(kafka) > 0 or importing.poll() is not None)
            stack.kafka.kill()
            assert importing.poll() is None, "it ended before the broker could be killed"
            stack.kafka.restart()
            importing.wait(LIMIT_S)
        run([file], kafka, OPTIONS, state=state)
        found = ids(kafka, "restart")
        assert len(found) == 200_000
        assert set(found.values()) == {1}


def test_a_silent_broker_is_given_up(tmp_path: Path) -> None:
    async def send(kafka: KafkaSettings, stack: LocalStack) -> None:
        async with BulkProducer(kafka, LISTENS.name, patience_s=1.0) as bulk:
            assert [sent.count for sent in await bulk.send(0, [b"u"], [b"v"])] == [1]
            stack.kafka.pause()
            with pytest.raises(BrokerAway, match="acknowledged nothing on listens for 1 s"):
                await bulk.send(0, [b"u"], [b"v"])

    with LocalStack(redis=False) as stack:
        kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(kafka)
        try:
            asyncio.run(send(kafka, stack))
        finally:
            stack.kafka.resume()


def test_too_large_a_message_and_a_missing_topic_are_told(kafka: KafkaSettings) -> None:
    async def send(topic: str) -> None:
        async with BulkProducer(kafka, topic) as bulk:
            await bulk.send(0, [b"u"], [b"x" * 2_000_000])

    with pytest.raises(Fatal, match=r"larger than the broker takes"):
        asyncio.run(send(LISTENS.name))
    with pytest.raises(Fatal, match="has no topic nowhere"):
        asyncio.run(send("nowhere"))


def test_no_broker_is_told(tmp_path: Path) -> None:
    nobody = KafkaSettings(bootstrap="127.0.0.1:1")
    with pytest.raises(BrokerAway, match=r"no broker answers at 127\.0\.0\.1:1"):
        run([plays(tmp_path, "none", 10)], nobody, OPTIONS, state=tmp_path)
