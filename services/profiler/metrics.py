"""What the profiler counts. Names: docs/metrics.md."""

from asyncio import all_tasks
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.dead_letter import DeadLetter
from schemas.errors import CAUSES
from schemas.profile import ProfileChanged
from services.runtime.http import Health
from services.runtime.metrics import BATCH, LATENCY, STAGE, Spread, from_zero, stopwatch


class Metrics:
    """Counters and gauges of one profiler, and its heartbeat."""

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self._health = health
        self._listens = Counter("segue_profiler_listens", "Listens folded.", registry=registry)
        self._repeats = Counter("segue_profiler_repeats", "Repeats by event id, not folded.", registry=registry)
        self._dead = Counter("segue_profiler_dead_letters", "Dead letters sent.", ["cause"], registry=registry)
        self._notices = Counter("segue_profiler_notices", "Notices acknowledged.", registry=registry)
        self._retries = Counter("segue_profiler_retries", "Calls tried again.", ["error"], registry=registry)
        self._fences = Counter("segue_profiler_fences", "Commits refused.", ["kind"], registry=registry)
        self._gone = Counter(
            "segue_profiler_gone_offsets", "Offsets that the log no longer held when they were to be folded.",
            registry=registry,
        )  # fmt: skip
        self._empty = Counter(
            "segue_profiler_empty_offsets", "Offsets within the log that hold no record.", registry=registry
        )
        self._remade = Counter(
            "segue_profiler_remade_profiles", "Damaged profiles made anew from the log.", registry=registry
        )
        from_zero(self._dead, *CAUSES)
        from_zero(self._retries, "RedisAway", "BrokerAway")
        from_zero(self._fences, "rewound", "overtaken")
        self._batch = Histogram("segue_profiler_batch_listens", "Listens a batch.", buckets=BATCH, registry=registry)
        self._bytes = Counter("segue_profiler_profile_bytes", "Profile bytes written.", registry=registry)
        self._profiles = Counter("segue_profiler_profiles", "Profiles written.", registry=registry)
        self._freshness = Spread(
            "segue_profiler_freshness_seconds", "Listen appended to notice acknowledged.", LATENCY, registry
        )
        self._stage = Histogram(
            "segue_profiler_stage_seconds", "Time a batch spent in a stage.", ["stage"], buckets=STAGE,
            registry=registry,
        )  # fmt: skip
        self._lookups = Counter(
            "segue_profiler_profile_lookups", "Profiles wanted by a batch.", ["found"], registry=registry
        )
        self._cached = Gauge("segue_profiler_cached_profiles", "Profiles kept decoded.", registry=registry)
        self._cursor = Gauge("segue_profiler_cursor_offset", "Last offset folded.", ["partition"], registry=registry)
        self._lag = Gauge("segue_profiler_lag_records", "Records not yet folded.", ["partition"], registry=registry)
        self._partitions = Gauge("segue_profiler_partitions", "Partitions assigned.", registry=registry)
        self._tasks = Gauge("segue_profiler_tasks", "Tasks of the event loop.", registry=registry)
        self._last = Gauge("segue_profiler_last_commit_timestamp_seconds", "Newest commit.", registry=registry)

    def assigned(self, partitions: Sequence[int]) -> None:
        """This worker now has just these partitions."""
        self._cursor.clear()
        self._lag.clear()
        self._partitions.set(len(partitions))
        self._health.set("assignment", True)
        self._health.set("redis", True)  # it has just told the cursors
        self._health.beat()

    def stopwatch(self) -> Callable[[str], None]:
        """A lap counter: call it with a stage's name as that stage ends."""
        return stopwatch(self._stage)

    def looked_up(self, memory: int, redis: int, cached: int) -> None:
        """So many profiles of a batch were in memory, so many had to be asked for; so many are in memory now."""
        self._lookups.labels("memory").inc(memory)
        self._lookups.labels("redis").inc(redis)
        self._cached.set(cached)

    def folded(self, listens: int, repeats: int) -> None:
        """A batch went through the fold."""
        self._listens.inc(listens)
        self._repeats.inc(repeats)
        self._batch.observe(listens + repeats)

    def gone(self, offsets: int) -> None:
        """The log went on later than it should have."""
        self._gone.inc(offsets)

    def empty(self, offsets: int) -> None:
        """The log went on later, and has nothing in between."""
        self._empty.inc(offsets)

    def remade(self, profiles: int) -> None:
        """Profiles could not be read, and stand again."""
        self._remade.inc(profiles)

    def dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Dead letters were acknowledged."""
        for cause, count in Tally(letter.cause for letter in letters).items():
            self._dead.labels(cause).inc(count)

    def committed(self, partition: int, offset: int, profiles: int, size: int) -> None:
        """Profiles and cursor stand in Redis."""
        self._cursor.labels(str(partition)).set(offset)
        self._profiles.inc(profiles)
        self._bytes.inc(size)
        self._last.set_to_current_time()
        self._health.set("redis", True)

    def noticed(self, notices: Sequence[ProfileChanged]) -> None:
        """A batch is through."""
        self._notices.inc(len(notices))
        now = time()
        self._freshness.observe([max(0.0, now - notice.produced_at / 1000) for notice in notices])
        self._health.beat()

    def lag(self, partition: int, records: int) -> None:
        """How far the log is ahead of the cursor."""
        self._lag.labels(str(partition)).set(records)

    def idle(self) -> None:
        """The loop turns, with or without listens. To be called within it."""
        self._tasks.set(len(all_tasks()))
        self._health.beat()

    def fenced(self, *, rewound: bool) -> None:
        """A commit was refused: another worker is ahead, or Redis fell behind."""
        self._fences.labels("rewound" if rewound else "overtaken").inc()

    def retried(self, error: BaseException | None) -> None:
        """A server was away; the offsets are held, which is not being stuck."""
        self._retries.labels(type(error).__name__).inc()
        if type(error).__name__ == "RedisAway":
            self._health.set("redis", False, str(error))
        self._health.beat()
