"""What live evaluation counts. Names: docs/metrics.md.

A release is a label, and releases have no end: only the newest ones have series, the rest are taken away as new ones
come. Sources and variants come from messages too: those that Segue does not know share one series, `other`. At most
releases x variants x sources x 6 bands of rank series a counter: 8 x 3 x 16 x 6 = 2,304.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from models.sources.settings import SOURCES
from schemas.outcome import Outcome
from schemas.recommendation import VARIANTS
from services.runtime.errors import Transient
from services.runtime.http import Health
from services.runtime.metrics import BATCH, ByPartition, from_zero

BANDS = (1, 5, 10, 20, 50)  # the last rank of each
BAND_NAMES = ("1", "2-5", "6-10", "11-20", "21-50", "51+")
OTHER = "other"
DELAY = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 60.0, 600.0, 3_600.0)


def band(rank: int) -> str:
    """Which band a rank (1-based) is of: "1", "2-5", "6-10", "11-20", "21-50" or "51+"."""
    return BAND_NAMES[bisect_left(BANDS, rank)]


class Metrics:
    """Counters and gauges of one process, and its health. Labels are bounded: no listener, no track."""

    def __init__(self, registry: CollectorRegistry, health: Health, releases: int = 8) -> None:
        """`releases`: how many have series of their own."""

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"segue_outcomes_{name}", about, labels, registry=registry)

        self.health, self._releases = health, releases
        self._judged = counter("listens", "Listens judged.", "kind", "release", "variant")
        self._hits = counter("hits", "Of these in the standing list.", "source", "release", "variant", "rank")
        self._skipped = counter("skipped_hits", "Of these skipped.", "source", "release", "variant", "rank")
        self._passed = counter("passed_over_listens", "Listens not judged.", "reason")
        self._lists = counter("lists", "Lists that came to stand.")
        self._unreadable = counter("unreadable_lists", "Lists that could not be read.")
        self._forgotten = counter("forgotten_listeners", "Listeners whose list had to make room.")
        self._retries = counter("retries", "Calls tried again.", "error")
        from_zero(self._passed, "poison", "mark", "late", "no_list")
        from_zero(self._retries, "BrokerAway")
        self._listeners = Gauge("segue_outcomes_listeners", "Listeners whose list is remembered.", registry=registry)
        self._lag = ByPartition(
            Gauge("segue_outcomes_lag_records", "Listens not taken yet.", ["partition"], registry=registry)
        )
        self._batch = Histogram("segue_outcomes_batch_listens", "Outcomes a batch.", buckets=BATCH, registry=registry)
        self._delay = Histogram(
            "segue_outcomes_delay_seconds", "Listen appended to outcome acknowledged.", buckets=DELAY, registry=registry
        )
        self._known: OrderedDict[str, None] = OrderedDict()  # releases that have series, the newest last

    def judged(self, outcomes: Sequence[Outcome], now: int) -> None:
        """A batch of outcomes is acknowledged; `now` in ms since epoch."""
        self._batch.observe(len(outcomes))
        for each in outcomes:
            self._heard_of(each.release_id)
            variant = each.variant if each.variant in VARIANTS else OTHER
            self._judged.labels(each.kind, each.release_id, variant).inc()
            self._delay.observe(max(0.0, (now - each.at) / 1000))
            if each.rank is None:
                continue
            source = each.source if each.source in SOURCES else OTHER
            labels = (source, each.release_id, variant, band(each.rank))
            self._hits.labels(*labels).inc()
            if each.kind == "skip":
                self._skipped.labels(*labels).inc()
        self.health.set("kafka", ok=True)

    def passed_over(self, reason: str) -> None:
        """A listen is not judged: poison, mark, late, no_list."""
        self._passed.labels(reason).inc()

    def listed(self, *, forgotten: bool) -> None:
        """A list came to stand; whether a listener was forgotten for it."""
        self._lists.inc()
        self._forgotten.inc(int(forgotten))

    def unreadable(self) -> None:
        """A list could not be read."""
        self._unreadable.inc()

    def turned(self, lags: dict[int, int], listeners: int, *, assigned: bool) -> None:
        """The loop has come round."""
        self.health.beat()
        self.health.set("assignment", assigned, "the group has given it no partition yet, or there are more members")
        self._listeners.set(listeners)
        self._lag.set(lags)

    def answered(self) -> None:
        """The broker answered."""
        self.health.set("kafka", ok=True)

    def retried(self, error: Transient) -> None:
        """The broker is away; the listens are held, which is not being stuck."""
        self._retries.labels(type(error).__name__).inc()
        self.health.set("kafka", ok=False, reason=str(error))
        self.health.beat()

    def _heard_of(self, release: str) -> None:
        if release in self._known:
            self._known.move_to_end(release)
            return
        self._known[release] = None
        if len(self._known) > self._releases:
            gone, _ = self._known.popitem(last=False)
            by_release: tuple[MetricWrapperBase, ...] = (self._judged, self._hits, self._skipped)
            for metric in by_release:
                metric.remove_by_labels({"release": gone})


def now_ms() -> int:
    """The wall clock, in ms since epoch."""
    return int(time() * 1000)
