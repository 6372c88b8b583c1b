"""Every outcome there is, as columns: an event counts once, however often it stands on the topic."""

import logging
from array import array
from collections.abc import Callable, Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ids import key_of
from schemas.codec import decode
from schemas.errors import Poison
from schemas.outcome import Outcome
from schemas.topics import OUTCOMES
from services.runtime.kafka_log import KafkaLog, Record

Numbers = NDArray[np.int64]
Progress = Callable[[int, int], None]  # offsets read, of how many

NAMED = ("release", "variant", "source", "chosen")

log = logging.getLogger(__name__)


class Columns(Struct, frozen=True):
    """One row an event. A rank of 0 is a miss; what `releases`, … are numbers of stands in `names`."""

    at: Numbers  # ms since epoch
    listener: Numbers  # models.ids
    rank: Numbers
    skipped: NDArray[np.bool_]
    release: Numbers
    variant: Numbers
    source: Numbers  # of a miss: -1
    chosen: Numbers  # where the listen does not say: -1
    names: dict[str, list[str]]  # "release", "variant", "source", "chosen" -> what each number means

    def __len__(self) -> int:
        return len(self.at)

    def where(self, rows: NDArray[np.bool_]) -> "Columns":
        """Only these rows."""
        kept = {name: getattr(self, name)[rows] for name in self.__struct_fields__ if name != "names"}
        return Columns(names=self.names, **kept)


class Gathering:
    """Takes outcomes in the order of their partition and gives columns: about 70 bytes an outcome."""

    def __init__(self) -> None:
        self._events = array("q")
        self._columns = {name: array("q") for name in ("at", "listener", "rank", "skipped")}
        self._named = {name: array("q") for name in NAMED}
        self._numbers: dict[str, dict[str, int]] = {name: {} for name in self._named}
        self.unreadable = 0

    def take(self, records: Iterable[Record]) -> None:
        """Take these in; what is no outcome is counted and passed over."""
        for record in records:
            try:
                self.add(decode(Outcome, record.value))
            except Poison as poison:
                self.unreadable += 1
                log.warning("outcome at offset %d is passed over: %s", record.offset, poison)

    def add(self, outcome: Outcome) -> None:
        """Take one in."""
        self._events.append(key_of(f"{outcome.user_id}\x1f{outcome.event_id}"))
        row = (outcome.at, key_of(outcome.user_id), outcome.rank or 0, outcome.kind == "skip")
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        texts = (outcome.release_id, outcome.variant, outcome.source, outcome.chosen)
        for name, text in zip(NAMED, texts, strict=True):
            numbers = self._numbers[name]
            self._named[name].append(-1 if text is None else numbers.setdefault(text, len(numbers)))

    def columns(self) -> tuple[Columns, int]:
        """What was taken, the first outcome of each event; how many repeats were left out."""
        _, first = np.unique(np.array(self._events, dtype=np.int64), return_index=True)
        first.sort()
        held = {name: np.array(column, dtype=np.int64)[first] for name, column in self._columns.items()}
        named = {name: np.array(column, dtype=np.int64)[first] for name, column in self._named.items()}
        names = {name: list(numbers) for name, numbers in self._numbers.items()}
        skipped = held.pop("skipped").astype(bool)
        return Columns(**held, **named, skipped=skipped, names=names), len(self._events) - len(first)


def gathered(log: KafkaLog, progress: Progress) -> Gathering:
    """Every outcome on the topic, up to its end as it is now. Raises BrokerAway, Fatal when there is no such topic."""
    spans = log.spans(OUTCOMES.name)
    total, done, found = sum(span.end - span.first for span in spans.values()), 0, Gathering()
    progress(0, total)
    for partition, span in spans.items():
        for records in log.read(OUTCOMES.name, partition, span.first, span.end):
            found.take(records)
            progress(done + (records[-1].offset + 1 - span.first if records else 0), total)
        done += span.end - span.first
    return found
