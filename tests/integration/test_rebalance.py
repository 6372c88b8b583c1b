"""What a consumer group's member is left with when a rebalance ends at a bad moment; on a real broker."""

import time
from contextlib import closing

from schemas.topics import PROFILES
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.settings import KafkaSettings

WITHIN_S = 10.0


def test_a_rebalance_that_ends_between_two_polls_is_not_lost() -> None:
    with LocalStack(redis=False) as stack:
        kafka = KafkaSettings(bootstrap=stack.bootstrap)
        with closing(kafka_clients.consumer(kafka, PROFILES.name, group="between-polls")) as member:
            coordinator = member._coordinator  # to see the moment, which nothing public tells
            deadline = time.monotonic() + WITHIN_S
            while not coordinator.generation_if_stable():  # alone in the group, with no topic yet
                member.poll(timeout_ms=250)
                assert time.monotonic() < deadline
            topics.apply(kafka)
            while not coordinator.rejoining:  # the topic is seen; poll() runs out of time while the group joins anew
                member.poll(timeout_ms=2)
                assert time.monotonic() < deadline
            time.sleep(1)  # the rebalance ends meanwhile
            deadline = time.monotonic() + WITHIN_S
            while len(member.assignment()) < PROFILES.partitions:
                member.poll(timeout_ms=250)
                assert time.monotonic() < deadline, "the member is left without partitions"
