"""Whether what is read follows on what is folded: on the same log, and without a gap."""

import logging
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from schemas.topics import LISTENS
from services.profiler.errors import SkippedError
from services.profiler.metrics import Metrics
from services.profiler.patience import Patiently
from services.profiler.ports import Cursor, Log, Record
from services.runtime.errors import Fatal, Transient

AWAY_S = 30.0

log = logging.getLogger(__name__)


class Following:
    """Looks at what a batch leaves out, and asks the log why."""

    def __init__(self, listens: Log, patiently: Patiently, metrics: Metrics) -> None:
        self._log, self._patiently, self._metrics = listens, patiently, metrics

    async def look(self, partition: int, start: int, records: Sequence[Record]) -> None:
        """`start`: the offset that should come next, if none that is folded comes again. Raises SkippedError."""
        if records[-1].offset + 1 - min(start, records[0].offset) == len(records):
            return
        for record in records:
            if record.offset > start:
                await self._explain(partition, start, record.offset)
            start = max(start, record.offset + 1)

    async def _explain(self, partition: int, start: int, offset: int) -> None:
        """Retention may have removed what was not folded yet. Nothing brings it back; say so, and go on.

        Only what is before the log's beginning was removed. Within the log an offset without a record is the mark that
        ends a producer's transaction, and nothing is missing.
        """
        there = await self._patiently(self._log.first_from, partition, start)
        if there is not None and there < offset:
            raise SkippedError(f"partition {partition}: the log holds offset {there}, its consumer went on at {offset}")
        begins = min(offset, max(start, await self._patiently(self._log.begins, partition)))
        self._metrics.empty(offset - begins)
        if begins == start:
            return
        self._metrics.gone(begins - start)
        log.error(
            "partition %d: %d offsets, %d to %d, are not in the log: removed by retention before they were folded; "
            "going on at %d",
            partition, begins - start, start, begins - 1, offset,
        )  # fmt: skip


class Waiting:
    """How many records of a partition wait to be folded; the marks of transactions wait for nobody."""

    def __init__(self, listens: Log, metrics: Metrics, clock: Callable[[], float] = monotonic) -> None:
        self._log, self._metrics, self._clock = listens, metrics, clock
        self._seen: dict[int, tuple[int, int]] = {}  # partition -> where it stood at the last look
        self._empty: dict[int, tuple[int, int]] = {}  # partition -> where no record is between
        self._ask_again = 0.0  # by the clock; not before, as a broker that is away takes seconds for each partition

    async def count(self, partition: int, folded: int, end: int, *, resting: bool) -> int:
        """`end`: of the log. The log is asked only while `resting`, and once where nothing moves between two looks."""
        stands = (folded, end)
        still, self._seen[partition] = self._seen.get(partition) == stands, stands
        behind = 0 if self._empty.get(partition) == stands else max(0, end - 1 - folded)
        if behind and resting and still and await self._nothing(partition, folded + 1, end):
            self._empty[partition] = stands
            return 0
        return behind

    async def _nothing(self, partition: int, start: int, end: int) -> bool:
        if self._clock() < self._ask_again:
            return False
        try:
            there = await self._log.first_from(partition, start)
        except Transient as error:  # they count as waiting, and the next look asks again
            self._metrics.retried(error)
            self._ask_again = self._clock() + AWAY_S
            return False
        return there is None or there >= end


def refuse_another_log(cursors: Mapping[int, Cursor], ends: Mapping[int, int]) -> None:
    """New listens with offsets that are folded already would be taken for repeats, and lost without a word.

    Raises Fatal.
    """
    for partition, cursor in cursors.items():
        if cursor.folded >= ends[partition]:
            raise Fatal(
                f"partition {partition} of {LISTENS.name} ends at offset {ends[partition]}, but its profiles are "
                f"folded up to {cursor.folded}: the topic was made anew, or the broker lost acknowledged listens. If "
                "this log is the right one, empty Redis and start again: every profile is rebuilt from it"
            )
