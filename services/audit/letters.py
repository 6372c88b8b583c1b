"""The dead letters against the log: one at least for each record that was refused and folded over, none for a good one.

`listens.dead` is read after the log, and a letter is acknowledged before its partition's cursor passes its offset, so
every refused offset up to the cursor has its letter by then. Letters about offsets beyond what was read of the log are
left alone.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD, LISTENS
from services.audit.findings import Findings
from services.audit.folding import Folding, digest
from services.audit.result import Letters, Partition
from services.runtime.kafka_log import KafkaLog, Record


class Refused(NamedTuple):
    """What is known of one partition's log."""

    first: int
    end: int
    cursor: int
    digests: dict[int, tuple[bytes, int]]  # refused offset -> digest of key and value, when it was appended (ms)


class LetterAudit:
    """Takes partitions one after the other, then reads the letters and says what is amiss."""

    def __init__(self, log: KafkaLog, findings: Findings) -> None:
        self._log, self._findings = log, findings
        self._refused: dict[int, Refused] = {}
        self._cut: list[tuple[DeadLetter, Record]] = []
        self.found = Letters()

    def partition(self, found: Partition, folding: Folding) -> None:
        """Remember what one partition refused."""
        self._refused[found.partition] = Refused(found.first, found.end, found.cursor, folding.refused)

    def settle(self) -> Letters:
        """Read the letters; the result."""
        seen: dict[int, set[int]] = {number: set() for number in self._refused}
        oldest = -1  # ms: what was appended before it may have had a letter that is gone by now
        for number, span in self._log.spans(DEAD.name).items():
            kept = None if span.first else -1
            for records in self._log.read(DEAD.name, number, span.first, span.end):
                self._take(records, seen)
                if kept is None and records:
                    kept = records[0].time
            oldest = max(oldest, 2**63 if kept is None else kept)
        for letter, record in self._cut:
            if not self._is_cut_of(letter, record):
                self._altered(letter)
        for number, refused in self._refused.items():
            self._judge(number, refused, seen[number], oldest)
        return self.found

    def _take(self, records: Iterable[Record], seen: dict[int, set[int]]) -> None:
        for record in records:
            self.found.letters += 1
            try:
                letter = DeadLetter.from_headers(record.headers)
            except (KeyError, ValueError) as error:
                self.found.unreadable += 1
                says = f"offset {record.offset} of {DEAD.name} has no dead letter's headers: {error!r}"
                self._findings.add("unreadable letter", -1, -1, says)
                continue
            if letter.topic == LISTENS.name:
                self._compare(letter, record, seen)

    def _compare(self, letter: DeadLetter, record: Record, seen: dict[int, set[int]]) -> None:
        number, offset = letter.partition, letter.offset
        refused = self._refused.get(number)
        if refused is None:
            self._wrong(letter, "a partition that the log does not have")
        elif offset >= refused.end or offset < refused.first:
            return  # later than what was read, or gone since: nothing can be said
        elif offset not in refused.digests:
            self._wrong(letter, "an offset that the log admits, or where it has nothing")
        elif offset in seen[number]:
            self.found.repeated += 1
        else:
            seen[number].add(offset)
            if letter.cut:
                self._cut.append((letter, record))
            elif digest(record.key, record.value) != refused.digests[offset][0]:
                self._altered(letter)

    def _altered(self, letter: DeadLetter) -> None:
        self.found.altered += 1
        self._findings.add("altered letter", letter.partition, letter.offset, "key or value are not those of the log")

    def _is_cut_of(self, letter: DeadLetter, cut: Record) -> bool:
        """Whether a letter cut short (its message was too large to be sent on) begins as the message does."""
        for records in self._log.read(LISTENS.name, letter.partition, letter.offset, letter.offset + 1):
            for whole in records:
                key, value = whole.key or b"", whole.value or b""
                return (
                    len(value) == letter.cut and key.startswith(cut.key or b"") and value.startswith(cut.value or b"")
                )
        return False

    def _wrong(self, letter: DeadLetter, what: str) -> None:
        self.found.wrong += 1
        self._findings.add("wrong letter", letter.partition, letter.offset, f"a {letter.cause} letter about {what}")

    def _judge(self, number: int, refused: Refused, seen: set[int], oldest: int) -> None:
        offsets = sorted(refused.digests)
        for offset in offsets[: bisect_left(offsets, refused.cursor + 1)]:
            self.found.refused += 1
            if offset in seen:
                continue
            if refused.digests[offset][1] < oldest:
                self.found.expired += 1
                continue
            self.found.missing += 1
            self._findings.add("missing letter", number, offset, "refused, passed by the cursor, and no dead letter")
