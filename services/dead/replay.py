"""Sending mended dead letters to where they came from, each once.

What makes it once: after the broker has the mended listen, the letter is put on `listens.dead` again, with a header
that says where the listen went. So every machine knows, the note is kept as long as the letter itself, and whoever
reads the topic sees what it may see anyway: one more letter of the same origin. A replay killed between the two sends
the listen again; its event_id is the same, so the profiler counts it once (within its window).
"""

from collections.abc import Iterable, Iterator

from kafka import KafkaProducer
from msgspec import Struct

from schemas.errors import Poison
from schemas.topics import DEAD, LISTENS
from services.dead.letters import REPLAYED, Case, Letter
from services.dead.mending import Mend, admitted
from services.runtime.kafka_clients import kafka_trouble, producer
from services.runtime.settings import KafkaSettings

ANSWER_S = 40.0  # more than the producer's own delivery timeout, so that the truth is heard


class Ready(Struct, frozen=True):
    """A letter that would be admitted now."""

    letter: Letter
    key: bytes
    value: bytes


class Plan(Struct):
    """What a replay would do."""

    ready: list[Ready]
    refused: list[tuple[Letter, Poison]]  # still bad, and why
    done: list[Case]  # sent already


def plan(cases: Iterable[Case], mend: Mend, now_ms: int, *, again: bool = False) -> Plan:
    """Mend and judge each, as the profiler would judge it now. Changes nothing. Raises Fatal from a mend."""
    made = Plan([], [], [])
    for case in cases:
        if case.replayed and not again:
            made.done.append(case)
            continue
        letter = case.letter
        try:
            if letter.reason.topic != LISTENS.name:
                raise Poison("bad-topic", f"it came from {letter.reason.topic}, not from {LISTENS.name}")
            made.ready.append(Ready(letter, *admitted(mend(letter.value), now_ms)))
        except Poison as poison:
            made.refused.append((letter, poison))
    return made


def send(settings: KafkaSettings, ready: Iterable[Ready]) -> Iterator[tuple[Ready, str]]:
    """Send each, in order, and note it; yields it with where it went once the broker has both.

    Raises BrokerAway (run it again: what was noted is not sent again), Fatal.
    """
    client = producer(settings, "segue-dead", max_request_size=2 * 1024 * 1024)
    try:
        for each in ready:
            with kafka_trouble("replaying a dead letter"):
                sent = client.send(LISTENS.name, each.value, key=each.key).get(ANSWER_S)
                where = f"{sent.topic}-{sent.partition}@{sent.offset}"
                _note(client, each.letter, where)
            yield each, where
    finally:
        client.close(5)


def _note(client: KafkaProducer, letter: Letter, where: str) -> None:
    headers = [(name, value) for name, value in letter.headers if name != REPLAYED]
    client.send(DEAD.name, letter.value, key=letter.key, headers=[*headers, (REPLAYED, where.encode())]).get(ANSWER_S)
