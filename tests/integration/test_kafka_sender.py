"""The sender on a broker that falls silent while messages are on their way."""

import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition

from services.local.stack import LocalStack
from services.runtime.kafka_clients import admin
from services.runtime.kafka_sender import PARTING
from services.runtime.settings import KafkaSettings

MOST = 1_000  # bytes of a message that the broker takes

# In a process of its own, whose threads are the sender's alone.
SENDER = """
import os, sys, threading
from services.runtime.kafka_sender import KafkaSender, Message
from services.runtime.settings import KafkaSettings
bootstrap, topic, answer_s = sys.argv[1:]
beats, stop = [], threading.Event()
sender = KafkaSender(KafkaSettings(bootstrap=bootstrap), "silence", lambda: beats.append(1), stop,
                     answer_s=float(answer_s), more={"request.timeout.ms": 1_000})
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "stop":
        stop.set()
        continue
    if line.strip() == "threads":
        print(len(os.listdir("/proc/self/task")), flush=True)
        continue
    try:
        how, *words = line.split()
        if how in ("send", "begin"):
            getattr(sender, how)(topic, [Message(word.encode(), b"k") for word in words])
        elif how == "look":
            sender.look()
        else:
            print("%.2f" % sender.settle(), flush=True)
            continue
        print("sent", flush=True)
    except Exception as error:
        print(type(error).__name__, error, "beats:", len(beats), flush=True)
sender.close()
"""


class Sender:
    """That process: a line of words to send in, a line of what came of it out."""

    def __init__(self, stack: LocalStack, answer_s: float) -> None:
        self.topic = f"sent-{uuid4().hex[:8]}"
        with admin(KafkaSettings(bootstrap=stack.bootstrap)) as client:
            most = {"max.message.bytes": str(MOST)}
            client.create_topics({self.topic: {"num_partitions": 1, "replication_factor": 1, "configs": most}})
        self.process = subprocess.Popen(
            [sys.executable, "-c", SENDER, stack.bootstrap, self.topic, str(answer_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.heard() == "ready"

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> str:
        self.say(line)
        return self.heard()

    def send(self, words: str) -> str:
        return self.ask(f"send {words}")

    def end(self) -> None:
        self.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(redis=False) as stack:
        yield stack


def arrived(stack: LocalStack, topic: str) -> list[str]:
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap, enable_auto_commit=False)
    try:
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        consumer.seek_to_beginning(at)
        end, found = consumer.end_offsets([at])[at], []
        while consumer.position(at) < end:
            found += [record.value.decode() for records in consumer.poll(500).values() for record in records]
        return found
    finally:
        consumer.close()


def test_a_broker_that_was_silent_gets_all_that_comes_later(stack: LocalStack) -> None:
    # Over kafka-python 3.0.12 a producer whose batch expired forgot its id and sent nothing any more, for ever.
    later = [f"after-{number}" for number in range(50)]
    sender = Sender(stack, answer_s=6.0)
    try:
        assert sender.send("before") == "sent"
        stack.kafka.pause()
        says = sender.send("during")
        assert says.startswith("BrokerAway")
        assert "acknowledged nothing for 6 s" in says
        assert int(says.split("beats: ")[1]) >= 8
        stack.kafka.resume()
        assert sender.send(" ".join(later)) == "sent"
    finally:
        stack.kafka.resume()
        sender.end()
    found = arrived(stack, sender.topic)
    assert found[0] == "before"
    assert [value for value in found if value.startswith("after")] == later


def test_what_was_begun_while_the_broker_was_away_is_settled_once_it_is_back(stack: LocalStack) -> None:
    sender = Sender(stack, answer_s=2.0)
    try:
        assert sender.send("first") == "sent"  # which takes a broker longer
        assert sender.ask("begin before") == "sent"
        for _ in range(2):
            time.sleep(0.5)
            assert sender.ask("look") == "sent"
        assert 0.4 < float(sender.ask("settle")) < 1.0  # heard by the first look
        assert float(sender.ask("settle")) > 0.4  # of nothing: it stands since then
        stack.kafka.kill()
        assert sender.ask("begin during and later") == "sent"
        assert sender.ask("begin more").startswith("ValueError")
        assert sender.ask("settle").startswith("BrokerAway")
        stack.kafka.start()
        assert any(sender.ask("settle").startswith("0.") for _ in range(10))  # a broker may be slow at first
        assert sender.ask("begin after") == "sent"
        assert sender.ask("settle").startswith("0.")
    finally:
        if not stack.kafka.alive:
            stack.kafka.start()
        sender.end()
    assert arrived(stack, sender.topic) == ["first", "before", "during", "and", "later", "after"]


def test_what_the_broker_refuses_is_told_though_a_look_has_heard_of_it_before(stack: LocalStack) -> None:
    sender = Sender(stack, answer_s=5.0)
    try:
        assert sender.send("before") == "sent"  # the first of all takes a broker longer
        assert sender.ask("begin small " + MOST * "x") == "sent"
        time.sleep(0.5)
        assert sender.ask("look") == "sent"
        assert sender.ask("settle").startswith("Fatal")
    finally:
        sender.end()


def test_told_to_stop_it_gives_a_silent_broker_a_moment(stack: LocalStack) -> None:
    sender = Sender(stack, answer_s=30.0)
    try:
        assert sender.send("before") == "sent"
        stack.kafka.pause()
        sender.say("stop")
        began = time.monotonic()
        assert sender.send("during").startswith("Stopped")
        assert PARTING <= time.monotonic() - began < PARTING + 2
    finally:
        stack.kafka.resume()
        sender.end()


def test_producers_that_were_given_up_are_gone(stack: LocalStack) -> None:
    sender = Sender(stack, answer_s=1.0)
    try:
        for number in range(4):
            assert "sent" in (sender.send("before") for _ in range(10))  # what was silent may be slow at first
            if number == 1:
                threads = int(sender.ask("threads"))
            stack.kafka.pause()
            assert sender.send("during").startswith("BrokerAway")
            stack.kafka.resume()
        assert "sent" in (sender.send("after") for _ in range(10))
        assert int(sender.ask("threads")) <= threads
    finally:
        stack.kafka.resume()
        sender.end()
