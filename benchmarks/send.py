"""What it takes to send lists and have them acknowledged, beside kafka-python's producer with the same promises.

    python -m benchmarks.send [--partitions 8,32] [--rounds 100]

A real broker, by turns: each sends a burst of messages as long as a list, one a partition in turn, and waits for the
broker's word on all. Both are idempotent, with `acks=all` and no linger. Times are p50 and p99 of a burst; the
processor time is of this process, a message, without the broker's.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable

import numpy as np

from services.local.stack import LocalStack
from services.runtime.kafka_clients import admin, producer
from services.runtime.kafka_sender import KafkaSender, Message
from services.runtime.settings import KafkaSettings

BYTES = 6_600  # of a list of 50
BURSTS = (1, 4, 16, 64)
PAUSE_S = 0.004  # between bursts, as between listens
BATCH = {"batch_size": 512 * 1024, "max_request_size": 4 * 1024 * 1024}

Send = Callable[[str, list[Message]], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partitions", default="8,32")
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    with LocalStack(redis=False) as stack:
        settings = KafkaSettings(stack.bootstrap)
        ours, theirs = KafkaSender(settings, "bench", lambda: None, threading.Event()), plain(settings)
        print(f"{'partitions':>10}{'lists':>7}{'ours p50, p99 ms':>19}{'CPU µs':>8}", end="")
        print(f"{'kafka-python':>18}{'CPU µs':>8}{'CPU':>7}")
        for partitions in (int(each) for each in args.partitions.split(",")):
            topic = f"sent-{partitions}"
            with admin(settings) as client:
                client.create_topics({topic: {"num_partitions": partitions, "replication_factor": 1}})
            for lists in BURSTS:
                row(topic, partitions, lists, args.rounds, ours.send, theirs)


def plain(settings: KafkaSettings) -> Send:
    """kafka-python's own producer."""
    made = producer(settings, "bench", **BATCH)

    def send(topic: str, messages: list[Message]) -> None:
        for sent in [made.send(topic, m.value, m.key, partition=m.partition) for m in messages]:
            sent.get(timeout=30)

    return send


def row(topic: str, partitions: int, lists: int, rounds: int, ours: Send, theirs: Send) -> None:
    data = os.urandom(BYTES)
    bursts = [[Message(data, b"u", (at + each) % partitions) for each in range(lists)] for at in range(rounds)]
    found: list[list[tuple[float, float]]] = [[], []]
    for send in (ours, theirs):
        send(topic, bursts[0])
    for burst in bursts:
        for send, each in zip((ours, theirs), found, strict=True):
            each.append(timed(send, topic, burst))
            time.sleep(PAUSE_S)
    (p50, p99, cpu), (their_p50, their_p99, their_cpu) = (summed(each, lists) for each in found)
    print(f"{partitions:>10}{lists:>7}{f'{p50:.1f}, {p99:.1f}':>19}{cpu:>8.0f}{f'{their_p50:.1f}, {their_p99:.1f}':>18}"
          f"{their_cpu:>8.0f}{cpu / their_cpu:>7.2f}")  # fmt: skip


def timed(send: Send, topic: str, burst: list[Message]) -> tuple[float, float]:
    """Seconds until all of a burst are acknowledged, and of the processor."""
    begun, cpu = time.perf_counter(), time.process_time()
    send(topic, burst)
    return time.perf_counter() - begun, time.process_time() - cpu


def summed(times: list[tuple[float, float]], lists: int) -> tuple[float, float, float]:
    """p50 and p99 in ms; µs of the processor a message."""
    waited, cpu = np.array(times).T
    p50, p99 = np.percentile(waited * 1e3, (50, 99)).tolist()
    return p50, p99, float(cpu.mean()) * 1e6 / lists


if __name__ == "__main__":
    main()
