"""Reading `recommendations` beside `listens`: up to the moment of the listen that is to be judged, no further.

Both topics are split alike, so whoever has a partition of `listens` reads the same one of `recommendations`: without a
group, from its beginning when the partition is taken over. Read to its end before the listens, after an outage, the
lists that stood then would be pushed out by later ones; so the two are read side by side, by time.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping

from schemas.codec import decode
from schemas.errors import Poison
from schemas.recommendation import Recommendations
from schemas.topics import LISTENS, RECOMMENDATIONS
from services.outcomes.metrics import Metrics
from services.outcomes.ports import Log
from services.outcomes.standing import Kept, Standing
from services.runtime.errors import Fatal
from services.runtime.group import Patience
from services.runtime.kafka_log import LogMoved, Record, Span

log = logging.getLogger(__name__)


class Place:
    """How far the lists of one partition were read."""

    def __init__(self) -> None:
        self.next = 0
        self.early: deque[tuple[str, Kept]] = deque()  # read, but made after what was judged so far


class Following:
    """Keeps `standing` at the moment that is asked for."""

    def __init__(
        self, log: Log, standing: Standing, metrics: Metrics, patiently: Patience, going_on: Callable[[], None]
    ) -> None:
        """`going_on` is called between two reads of many; it may raise Stopped."""
        self._log, self._standing, self._metrics = log, standing, metrics
        self._patiently, self._going_on = patiently, going_on
        self._places: dict[int, Place] = {}
        self._spans: Mapping[int, Span] = {}

    def look(self) -> None:
        """See how far the lists go by now: `until` reads no further than this."""
        self._spans = self._patiently(lambda: self._log.spans(RECOMMENDATIONS.name))

    def keep(self, partitions: Collection[int]) -> None:
        """Only these are this member's; what is known of the others is forgotten."""
        for partition in [partition for partition in self._places if partition not in partitions]:
            del self._places[partition]
            self._standing.drop(partition)

    def until(self, partition: int, moment: int) -> None:
        """Let every list of a partition that was made by `moment` (ms) stand."""
        place = self._places.setdefault(partition, Place())
        span = self._spans.get(partition)
        if span is None:
            raise Fatal(
                f"{RECOMMENDATIONS.name} has no partition {partition}, which {LISTENS.name} has: both must have "
                "equally many; see `segue topics plan`"
            )
        if place.next > span.end:  # somebody made the topic anew
            place = self._places[partition] = Place()
            self._standing.drop(partition)
        self._stand(partition, place, moment)
        while not place.early and place.next < span.end:
            self._patiently(lambda: self._read(partition, place, span))
            self._stand(partition, place, moment)
            if place.next < span.end:
                self._going_on()

    def _read(self, partition: int, place: Place, span: Span) -> None:
        """One batch more. Raises Transient: then nothing was read."""
        first = max(place.next, span.first)
        try:
            batches = self._log.read(RECOMMENDATIONS.name, partition, first, span.end)
            records = next((batch for batch in batches if batch), [])
        except LogMoved:
            self.look()
            place.next = max(first, self._spans[partition].first)
            return
        for record in records:
            self._take(partition, place, record)
        # None at all: what stood between here and the end was compacted away.
        place.next = records[-1].offset + 1 if records else span.end

    def _take(self, partition: int, place: Place, record: Record) -> None:
        if record.value is None:
            self._standing.forget(partition, (record.key or b"").decode(errors="replace"))
            return
        try:
            made = decode(Recommendations, record.value)
        except Poison as poison:
            self._metrics.unreadable()
            log.error("list %d-%d is passed over: %s", partition, record.offset, poison)
            return
        place.early.append((made.user_id, self._standing.compact(made)))

    def _stand(self, partition: int, place: Place, moment: int) -> None:
        while place.early and place.early[0][1].made_at <= moment:
            user_id, kept = place.early.popleft()
            self._metrics.listed(forgotten=self._standing.put(partition, user_id, kept))
