"""The real broker and the real Redis: they start, keep what they should, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError

from services.local.errors import StartError
from services.local.stack import LocalStack

RUN_STACK = """
import json, sys, time
from pathlib import Path
from services.local.stack import LocalStack
with LocalStack(Path(sys.argv[1]) if len(sys.argv) > 1 else None) as stack:
    pids = [server.process.pid for server in stack.servers]
    print(json.dumps({"pids": pids, "folder": str(stack.kafka.folder.parent)}), flush=True)
    time.sleep(120)
"""
RUN_UP = "from services.local.up import up; up()"


def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=20)
    finally:
        producer.close()


def receive(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, auto_offset_reset="earliest")
    values: list[bytes] = []
    try:
        deadline = time.monotonic() + 20
        while len(values) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                values += [record.value for record in records]
    finally:
        consumer.close(autocommit=False)
    return values


def create(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        admin.close()


@pytest.fixture
def clean(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that leaves a process behind, or anything in the system's temporary folder."""
    before, temporary = children(), tmp_path_factory.mktemp("system")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    assert eventually(lambda: children() <= before)
    assert list(temporary.iterdir()) == []


@contextmanager
def running(code: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Another Python process, leader of its own process group as under a shell."""
    command = [sys.executable, "-u", "-c", code, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], prefix: str) -> str:
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(prefix):
            return line
    raise AssertionError(f"no line {prefix!r} in {lines}; {process.stderr and process.stderr.read()}")


def test_messages_and_keys_go_through_the_shared_stack(bootstrap: str, redis_url: str) -> None:
    create(bootstrap, "test-local")
    send(bootstrap, "test-local", b"one", b"two")
    assert receive(bootstrap, "test-local", 2) == [b"one", b"two"]

    with redis.Redis.from_url(redis_url) as client:
        client.set("test-local", "value")
        assert client.get("test-local") == b"value"
        client.delete("test-local")


def test_topics_are_not_created_by_writing_to_them(bootstrap: str) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, max_block_ms=500)
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        with pytest.raises(KafkaTimeoutError):
            producer.send("never-created", b"lost").get(timeout=2)
        assert "never-created" not in admin.list_topics()
    finally:
        producer.close(timeout=1)
        admin.close()


def test_servers_listen_on_the_loopback_address_only(stack: LocalStack) -> None:
    for server in stack.servers:
        connections = server.process.net_connections(kind="inet")
        addresses = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
        assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}, server.name
        assert addresses


def test_start_and_stop_are_quick_and_leave_nothing(
    stack: LocalStack, clean: None, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.monotonic()
    with LocalStack() as own:
        started = time.monotonic()
        folder = own.kafka.folder.parent
        assert folder.exists()
        assert own.bootstrap != stack.bootstrap
        leaving = time.monotonic()
    ended = time.monotonic()

    with capsys.disabled():
        print(f"\n[local stack: start {started - begin:.2f} s, stop {ended - leaving:.2f} s]")  # noqa: T201 - a figure to read
    assert not folder.exists()
    assert started - begin < 30  # 2 s on two idle cores
    assert ended - leaving < 5


def test_a_failed_start_tells_why_and_leaves_nothing(clean: None) -> None:
    with pytest.raises(StartError, match=r"(?s)kafka.*ConfigException.*num\.io\.threads"):
        LocalStack(kafka_properties={"num.io.threads": "many"}).start()


def test_a_broker_that_fails_after_formatting_tells_why(clean: None, tmp_path: Path) -> None:
    with LocalStack(tmp_path, redis=False):
        pass
    with pytest.raises(StartError, match=r"(?s)kafka ended with code 1; .*authorizer\.class\.name|no\.such\.Class"):
        LocalStack(tmp_path, redis=False, kafka_properties={"authorizer.class.name": "no.such.Class"}).start()


def test_a_failed_redis_ends_the_broker_as_well(clean: None) -> None:
    with pytest.raises(StartError, match=r"(?s)redis ended with code 1; .*maxmemory"):
        LocalStack(redis_options={"maxmemory": "plenty"}).start()


def test_a_named_folder_survives_a_restart(clean: None, tmp_path: Path) -> None:
    with LocalStack(tmp_path) as first:
        create(first.bootstrap, "kept")
        send(first.bootstrap, "kept", b"one")
        with redis.Redis.from_url(first.redis_url) as client:
            client.set("kept", "value")
    with LocalStack(tmp_path) as second:
        assert second.kafka.cluster_id == first.kafka.cluster_id
        assert receive(second.bootstrap, "kept", 1) == [b"one"]
        with redis.Redis.from_url(second.redis_url) as client:
            assert client.get("kept") == b"value"


def test_crash_and_restart_keep_port_and_data(clean: None) -> None:
    with LocalStack(redis_options={"appendfsync": "always"}) as stack:
        create(stack.bootstrap, "crash")
        send(stack.bootstrap, "crash", b"before")
        addresses = (stack.bootstrap, stack.redis_url)
        with redis.Redis.from_url(stack.redis_url) as client:
            client.set("crash", "before")

        for server in stack.servers:
            server.kill()
            assert not server.alive
            server.start()

        assert (stack.bootstrap, stack.redis_url) == addresses
        send(stack.bootstrap, "crash", b"after")
        assert receive(stack.bootstrap, "crash", 2) == [b"before", b"after"]
        with redis.Redis.from_url(stack.redis_url) as client:
            assert client.get("crash") == b"before"


def test_a_stack_outlives_the_thread_that_started_it(clean: None) -> None:
    stack = LocalStack(kafka=False)
    thread = threading.Thread(target=stack.start)
    thread.start()
    thread.join()
    time.sleep(0.3)

    stack.check_alive()
    stack.stop()


@pytest.mark.parametrize("named", [False, True])
def test_nothing_is_left_after_kill_9_of_the_owner(clean: None, tmp_path: Path, named: bool) -> None:
    with running(RUN_STACK, *([tmp_path / "data"] if named else [])) as owner:
        state = json.loads(said(owner, "{"))
        everything = [each.pid for each in psutil.Process(owner.pid).children(recursive=True)]
        assert set(state["pids"]) < set(everything)
        assert not any(gone(pid) for pid in everything)

        owner.kill()

        assert eventually(lambda: all(gone(pid) for pid in everything))
        assert eventually(lambda: Path(state["folder"]).exists() is named)


def test_kill_9_of_the_whole_process_group_leaves_nothing(clean: None) -> None:
    with running(RUN_STACK) as owner:
        state = json.loads(said(owner, "{"))

        os.killpg(owner.pid, signal.SIGKILL)

        assert eventually(lambda: all(gone(pid) for pid in state["pids"]))
        assert eventually(lambda: not Path(state["folder"]).exists())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_says_where_and_stops_in_order(clean: None, number: signal.Signals) -> None:
    with running(RUN_UP) as process:
        export = said(process, "export ")
        said(process, "Ctrl-C")
        everything = [each.pid for each in psutil.Process(process.pid).children(recursive=True)]

        os.killpg(process.pid, number)  # as a terminal does: to the whole group

        said(process, "Stopped.")
        assert process.wait(10) == 0
        assert all(gone(pid) for pid in everything)
    words = export.split()
    assert words[1].startswith("SEGUE_KAFKA_BOOTSTRAP=127.0.0.1:")
    assert words[2].startswith("SEGUE_REDIS_URL=redis://127.0.0.1:")


def test_a_second_ctrl_c_kills_at_once(clean: None) -> None:
    with running(RUN_UP) as process:
        said(process, "Ctrl-C")
        [broker] = [each for each in psutil.Process(process.pid).children(recursive=True) if "java" in each.name()]

        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.1)
        broker.suspend()  # a shutdown that hangs: it would be waited for five seconds
        os.killpg(process.pid, signal.SIGINT)

        assert process.wait(3) == 0


def test_up_ends_when_a_server_does(clean: None) -> None:
    with running(RUN_UP) as process:
        said(process, "Ctrl-C")
        [broker] = [each for each in psutil.Process(process.pid).children(recursive=True) if "java" in each.name()]

        broker.kill()

        assert process.wait(10) == 1
        assert process.stderr
        assert "StartError: kafka ended with code 137" in process.stderr.read()
