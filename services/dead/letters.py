"""The dead letters as they lie on `listens.dead`, and choosing among them.

A letter is about one offset of `listens`: its origin. There may be several of one origin (at least once is what the
profiler promises), and a replay leaves one more: the same letter with a header that says where it was sent to.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD
from services.runtime.kafka_log import KafkaLog, Record

REPLAYED = (
    "segue.replayed"  # header of the letter that a replay leaves: "<topic>-<partition>@<offset>" of what was sent
)


class Origin(NamedTuple):
    """Where a bad message stood."""

    topic: str
    partition: int
    offset: int


class Letter(Struct, frozen=True):
    """One record of `listens.dead`; key and value are as they came."""

    at: int  # its own offset
    reason: DeadLetter
    headers: list[tuple[str, bytes]]
    key: bytes | None
    value: bytes | None
    replayed: str = ""  # where it was sent; empty: it is a letter of the profiler's

    @property
    def origin(self) -> Origin:
        """Which message it is about."""
        return Origin(self.reason.topic, self.reason.partition, self.reason.offset)


class Case(Struct):
    """All letters of one origin."""

    letter: Letter  # the newest of the profiler's
    letters: int = 1
    replayed: str = ""  # where it was sent last; empty: it was not


class Selection(Struct, frozen=True):
    """Which letters are meant; what is None does not matter."""

    cause: str | None = None
    partition: int | None = None
    offset: int | None = None
    since_ms: int | None = None  # appended to `listens` then or later

    def takes(self, reason: DeadLetter) -> bool:
        """Whether this one is meant."""
        return (
            self.cause in (None, reason.cause)
            and self.partition in (None, reason.partition)
            and self.offset in (None, reason.offset)
            and (self.since_ms is None or reason.time >= self.since_ms)
        )


def read(log: KafkaLog) -> Iterator[Letter]:
    """Every letter there is now, oldest first; what has no dead letter's headers is passed over. Raises BrokerAway."""
    for partition, span in log.spans(DEAD.name).items():
        for records in log.read(DEAD.name, partition, span.first, span.end):
            yield from filter(None, map(_letter, records))


def cases(letters: Iterable[Letter], selection: Selection) -> dict[Origin, Case]:
    """The chosen ones, gathered by origin, in the order in which they were first put away."""
    found: dict[Origin, Case] = {}
    for letter in letters:
        if not selection.takes(letter.reason):
            continue
        case = found.get(letter.origin)
        if case is None:
            case = found[letter.origin] = Case(letter, 0)
        if letter.replayed:
            case.replayed = letter.replayed
        else:
            case.letter, case.letters = letter, case.letters + 1
    return found


def _letter(record: Record) -> Letter | None:
    try:
        reason = DeadLetter.from_headers(record.headers)
        replayed = (dict(record.headers).get(REPLAYED) or b"").decode()
    except (KeyError, ValueError):
        return None
    return Letter(record.offset, reason, list(record.headers), record.key, record.value, replayed)
