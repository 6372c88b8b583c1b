"""What the scorer counts. Names: docs/metrics.md."""

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.recommendation import Recommendations
from schemas.release import Manifest
from services.runtime.errors import RedisAway, Transient
from services.runtime.http import Health
from services.runtime.metrics import BATCH, LATENCY, STAGE, ByPartition, from_zero, labelled, stopwatch

AGE = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)
FALLBACK = "popular"


class Metrics:
    """Counters and gauges of one scorer, and its health. Labels are bounded: no listener, no track."""

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"segue_scorer_{name}", about, labels, registry=registry)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(f"segue_scorer_{name}", about, labels, registry=registry)

        def histogram(name: str, about: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"segue_scorer_{name}", about, labels, buckets=buckets, registry=registry)

        self.health = health
        self._notices = counter("notices", "Notices taken.")
        self._collapsed = counter("collapsed_notices", "Notices that needed no list of their own.")
        self._skipped = counter("skipped_notices", "Notices passed over.", "reason")
        self._lists = counter("lists", "Lists acknowledged.")
        self._items = counter("items", "Tracks in lists.", "source")
        self._fallbacks = counter("fallbacks", "Lists that the fallback had to fill.", "reason")
        self._retries = counter("retries", "Calls tried again.", "error")
        self._batch = histogram("batch_lists", "Lists a batch.", BATCH)
        self._stage = histogram("stage_seconds", "Time a batch spent in a stage.", STAGE, "stage")
        self._freshness = histogram("freshness_seconds", "Listen appended to list acknowledged.", LATENCY)
        self._age = histogram("profile_age_seconds", "Newest listen of a profile to list made.", AGE)
        self._lag = ByPartition(gauge("lag_records", "Notices not taken yet.", "partition"))
        self._release = gauge("release_info", "1 for the release in force.", "release")
        self._created = gauge("release_created_timestamp_seconds", "When the release in force was made.")
        self._load_s = gauge("release_load_seconds", "How long the release in force took to load.")
        self._newcomers = gauge("newcomer_tracks", "Tracks announced since the release in force was trained.")
        self._refused = counter("release_failures", "Releases refused.", "error")
        from_zero(self._skipped, "poison", "no_profile", "bad_profile", "profile_behind")
        from_zero(self._fallbacks, "stranger", "short", "nothing")
        from_zero(self._retries, "RedisAway", "BrokerAway")
        self._remembered = gauge("remembered_lists", "Listeners whose newest list is remembered.")

    def noticed(self, notices: int, collapsed: int) -> None:
        """A batch of notices came in."""
        self._notices.inc(notices)
        self._collapsed.inc(collapsed)

    def skipped(self, reason: str) -> None:
        """No list is made for a notice: poison, no_profile, bad_profile, profile_behind."""
        self._skipped.labels(reason).inc()

    def stopwatch(self) -> Callable[[str], None]:
        """A lap counter: call it with a stage's name as that stage ends."""
        return stopwatch(self._stage)

    def listed(self, lists: Sequence[Recommendations], now: int) -> None:
        """A batch of lists was acknowledged at `now` (ms): until then nobody could read them, however soon made."""
        self._lists.inc(len(lists))
        self._batch.observe(len(lists))
        items: Tally[str] = Tally()
        for made in lists:
            by_source = Tally(item.source for item in made.items)
            items += by_source
            if not made.items:
                self._fallbacks.labels("nothing").inc()
            elif by_source[FALLBACK] == len(made.items):
                self._fallbacks.labels("stranger").inc()
            elif by_source[FALLBACK]:
                self._fallbacks.labels("short").inc()
            self._freshness.observe(max(0.0, (now - made.produced_at) / 1000))
            self._age.observe(max(0.0, (made.made_at - made.listened_at) / 1000))
        for source, count in items.items():
            labelled(self._items, source).inc(count)
        self.health.set("redis", ok=True)

    def remembered(self, lists: int) -> None:
        """So many lists are known to stand."""
        self._remembered.set(lists)

    def turned(self, lags: dict[int, int]) -> None:
        """The loop has come round."""
        self.health.beat()
        self._lag.set(lags)

    def retried(self, error: Transient) -> None:
        """A server is away; the notices are held, which is not being stuck."""
        self._retries.labels(type(error).__name__).inc()
        self.health.set("redis" if isinstance(error, RedisAway) else "kafka", ok=False, reason=str(error))
        self.health.beat()

    def released(self, manifest: Manifest, seconds: float) -> None:
        """Another release is in force."""
        self._release.clear()
        self._release.labels(manifest.release_id).set(1)
        self._created.set(manifest.created_at / 1000)
        self._load_s.set(seconds)
        self._newcomers.set(0)
        self.health.set("release", ok=True)

    def joined(self, tracks: int) -> None:
        """So many tracks stand beside those of the release in force."""
        self._newcomers.set(tracks)

    def refused(self, error: str) -> None:
        """A release could not be used."""
        self._refused.labels(error).inc()


def now_ms() -> int:
    """The wall clock, in ms since epoch."""
    return int(time() * 1000)
