"""The profiles of one partition against its log, on a system that is running.

Why nothing that merely moves is reported as a difference:

1. The profiler writes profiles and cursor in one atomic step, so at *every* moment all profiles of a partition are the
   fold of its log up to the cursor of that moment, and of nothing after it. That is the promise to be checked.
2. Profiles are read in chunks, each with the cursor in one MULTI: a chunk is of one moment, and the cursor read with
   it says which. Between two chunks the cursor may move; each chunk has its own.
3. The log is folded up to the cursor as it stood before the first chunk. A chunk whose cursor is still there is
   compared at once. One whose cursor has come further is kept as it was read; the log is then read on, and each
   listener's events are folded up to the very offset of the listener's own chunk, not one further. Then it is
   compared. So nobody is ever compared with another moment than his own, one pass over the log is enough, and there is
   nothing to retry however busy the system is.
4. Listeners who appear in the log only after that first cursor are not looked at: they were not there when the audit
   began. Names in Redis are listed *before* the first cursor is read, so a profile without a listener in the log up to
   it is one that the log never gave reason for.
5. A cursor that goes back between two chunks means that Redis was restored or emptied under the audit (a deed of the
   world, not an error of the profiler, which reads the log again): what was folded is thrown away and the partition
   begun anew. So does a log whose beginning retention removes while it is read.
6. The end of the log is asked for again after the last cursor was read, so a cursor beyond it is beyond it for good.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import NamedTuple

from models.ids import key_of
from models.profile import ProfileView
from models.taste import TasteSettings
from schemas.topics import LISTENS
from services.audit.compare import EQUAL, judge
from services.audit.findings import Findings
from services.audit.folding import Folding
from services.audit.odd import Held, Odd, settle
from services.audit.redis_stored import RedisStored
from services.audit.result import Partition
from services.runtime.errors import Fatal
from services.runtime.kafka_log import KafkaLog, LogMoved, Record

CHUNK = 256  # profiles a read: at most 38 MB with their pasts
TRIES = 5
Told = Callable[[int], None]  # so many more records were read


class Moved(Exception):
    """Redis went back under the audit."""


class Ports(NamedTuple):
    """What an audit works with."""

    log: KafkaLog
    stored: RedisStored
    taste: TasteSettings
    findings: Findings


class Audited(NamedTuple):
    """What the other checks need of a partition."""

    partition: Partition
    versions: dict[str, int]  # of each listener's readable profile, as it was read
    folding: Folding


def audit_partition(ports: Ports, number: int, names: "array[int]", stop: int | None, told: Told) -> Audited:
    """Audit one partition; `names`: keys of who has a profile, listed before this call. `stop`: count up to there.

    Where Redis is beyond `stop`, the log is folded as far as Redis is. Raises Fatal when it never holds still.
    """
    why: Exception | None = None
    for _ in range(TRIES):
        mark = ports.findings.mark()
        try:
            return _Try(ports, number, stop, told).run(names)
        except (Moved, LogMoved) as error:
            ports.findings.back_to(mark)
            why = error
    raise Fatal(f"partition {number} cannot be audited now: {why}, {TRIES} times in a row; run it again later")


class _Try:
    """One try at one partition."""

    def __init__(self, ports: Ports, number: int, stop: int | None, told: Told) -> None:
        self._log, self._stored, self._taste, self._findings = ports
        self._number, self._stop, self._told = number, stop, told
        self._span = self._log.span(LISTENS.name, number)
        self._folding = Folding(self._taste)
        self._found = Partition(number, first=self._span.first, gone=self._span.first)
        self._versions: dict[str, int] = {}
        self._odd: dict[str, Odd] = {}

    def run(self, names: "array[int]") -> Audited:
        first = self._span.first
        before = self._stored.cursor(self._number)
        self._read(self._folding.take, first, min(before + 1, self._end(before)))
        self._extras(names)
        held, furthest = self._snapshots(before)
        until = {user: each.cursor for user, each in held.items()}
        end = self._end(furthest)
        self._read(lambda records: self._folding.follow(records, until), max(first, before + 1), end)
        for user, each in held.items():
            self._compare(user, each)
        settle(self._log, self._taste, self._findings, self._found, self._odd)
        self._count(before, furthest, end)
        return Audited(self._found, self._versions, self._folding)

    def _end(self, cursor: int) -> int:
        """Where to stop reading: as far as was asked, and never short of the cursor, but for the log's own end."""
        end = self._span.end if self._stop is None else min(self._span.end, self._stop)
        if cursor < end:
            return end
        self._span = self._log.span(LISTENS.name, self._number)
        return min(cursor + 1, self._span.end)

    def _read(self, take: Callable[[list[Record]], None], first: int, stop: int) -> None:
        for records in self._log.read(LISTENS.name, self._number, first, stop):
            take(records)
            self._told(len(records))

    def _extras(self, names: Iterable[int]) -> None:
        """Profiles that no listen of the log explains."""
        extra = set(names) - {key_of(user) for user in self._folding.profiles}
        if not extra:
            return
        if self._span.first:
            self._found.unauditable += len(extra)
            self._found.profiles += len(extra)
            return
        self._found.extra = len(extra)
        for user in self._stored.named(self._number, extra, self._findings.most):
            says = "a profile whose listener the log does not have"
            self._findings.add("extra", self._number, -1, says, user)

    def _snapshots(self, before: int) -> tuple[dict[str, Held], int]:
        """Compare what can be compared at once; what has moved on meanwhile, and the furthest cursor seen."""
        users = list(self._folding.profiles)
        held: dict[str, Held] = {}
        furthest = before
        for start in range(0, len(users), CHUNK):
            chunk = users[start : start + CHUNK]
            cursor, profiles = self._stored.snapshot(self._number, chunk)
            if cursor < furthest:
                raise Moved(f"its cursor went back from {furthest} to {cursor}")
            furthest = cursor
            for user, data in zip(chunk, profiles, strict=True):
                if cursor == before:
                    self._compare(user, Held(cursor, data))
                else:
                    held[user] = Held(cursor, data)
        return held, furthest

    def _compare(self, user: str, held: Held) -> None:
        expected = self._folding.profiles.pop(user)
        verdict = judge(expected, held.data, held.cursor, self._taste, self._span.first > 0)
        self._found.profiles += 1
        if verdict is EQUAL:
            self._found.equal += 1
            self._versions[user] = expected.version
            return
        self._odd[user] = Odd(held, verdict, expected.version)
        if held.data is not None and not verdict.unreadable:
            self._versions[user] = ProfileView(held.data).version

    def _count(self, before: int, furthest: int, end: int) -> None:
        found, folding, first = self._found, self._folding, self._span.first
        found.end, found.cursor = end, furthest
        found.events, found.repeats = folding.events, folding.repeats
        found.admitted, found.dead = len(folding.admitted), len(folding.refused)
        found.behind = sum(offset > furthest for offset in folding.admitted)
        found.behind += sum(offset > furthest for offset in folding.refused)
        found.ahead = max(0, furthest + 1 - end)
        if found.ahead:
            self._findings.add("ahead", self._number, furthest, f"the cursor is at {furthest}, the log ends at {end}")
        found.unfolded_gone = max(0, first - before - 1)
        if found.unfolded_gone:
            says = f"offsets {before + 1} to {first - 1} were removed by retention before they were folded"
            self._findings.add("unfolded_gone", self._number, before, says)
