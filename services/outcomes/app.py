"""Live evaluation's core: a batch of listens in, what came of the lists before them out. Knows no broker.

The order is the guarantee:

1. the batch has settled: every list that was made before its newest listen is on the topic,
2. each listen, in its partition's order, is held against the list that stood when it was appended,
3. the outcomes are acknowledged by the broker,
4. only then the caller commits the offsets of the listens.

A crash between any two judges listens again and never loses one; whoever counts outcomes counts an event_id once.
"""

from collections.abc import Callable, Sequence

from models.admission import admit
from schemas.errors import Poison
from schemas.outcome import Outcome
from services.outcomes.following import Following
from services.outcomes.judging import Judge
from services.outcomes.metrics import Metrics
from services.outcomes.ports import Sink
from services.runtime.group import Patience, Record


class Outcomes:
    """Judges batches of listens, one batch at a time."""

    def __init__(
        self,
        following: Following,
        judge: Judge,
        sink: Sink,
        metrics: Metrics,
        patiently: Patience,
        now: Callable[[], int],
        wait: Callable[[float], object],
        settle_ms: int,
    ) -> None:
        """`now` gives milliseconds since epoch, `wait` waits for seconds (less when the service is to end)."""
        self.following = following
        self._judge, self._sink, self._metrics = judge, sink, metrics
        self._patiently, self._now, self._wait = patiently, now, wait
        self._settle_ms = settle_ms

    def take(self, records: Sequence[Record]) -> None:
        """Take a batch all the way: when this returns, its outcomes stand. Raises Stopped."""
        self._settle(max(record.time for record in records))
        self.following.look()
        found = [outcome for outcome in map(self._outcome, records) if outcome is not None]
        self._patiently(lambda: self._sink.send(found))
        self._metrics.judged(found, self._now())

    def _settle(self, newest: int) -> None:
        left = min(self._settle_ms, newest + self._settle_ms - self._now())
        if left > 0:
            self._wait(left / 1000)

    def _outcome(self, record: Record) -> Outcome | None:
        """None for what makes no outcome; a bad message is the profiler's to put away."""
        try:
            listen = admit(record.value, record.key, record.time)
        except Poison:
            self._metrics.passed_over("poison")
            return None
        self.following.until(record.partition, record.time)
        found = self._judge.judge(listen, record.partition, record.offset, record.time)
        if isinstance(found, Outcome):
            return found
        self._metrics.passed_over(found)
        return None
