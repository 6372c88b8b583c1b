"""Whether what is read follows on what is folded: on the same log, and without a gap."""

import logging
from collections.abc import Mapping, Sequence

from schemas.topics import LISTENS
from services.profiler.errors import SkippedError
from services.profiler.metrics import Metrics
from services.profiler.patience import Patiently
from services.profiler.ports import Cursor, Log, Record
from services.runtime.errors import Fatal

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
        """Retention may have removed what was not folded yet. Nothing brings it back; say so, and go on."""
        there = await self._patiently(self._log.first_from, partition, start)
        if there is not None and there < offset:
            raise SkippedError(f"partition {partition}: the log holds offset {there}, its consumer went on at {offset}")
        self._metrics.gone(offset - start)
        log.error(
            "partition %d: %d offsets, %d to %d, are not in the log: removed by retention before they were folded, or "
            "the marks of a producer's transactions; going on at %d",
            partition, offset - start, start, offset - 1, offset,
        )  # fmt: skip


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
