"""Lists a second of one scorer, and where the time goes, beside bare numpy and FAISS on the same vectors.

Ours is the scorer's own batch, from notices to acknowledged lists: profiles out of a real Redis, lists encoded and sent
to a real broker, which acknowledges them while the next batch is made. The reference does only the two steps that no
recommender of factors can do without, fold-in and nearest neighbours, as many of them, in the same batches: it reads,
drops, ranks, explains and sends nothing.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeVar

import numpy as np
from msgspec import Struct
from prometheus_client import CollectorRegistry

from models.als.serve import FoldIn, Weighted
from models.als.settings import AlsSettings
from models.index import search
from models.profile import ProfileView
from models.release import Release
from models.sources.reading import Reader
from models.sources.settings import ListSettings
from models.sources.shelf import Shelf
from schemas.codec import encode
from schemas.profile import ProfileChanged
from schemas.topics import LISTENS
from services.bench.system import System, user
from services.runtime.bulk_producer import partition_of
from services.runtime.garbage import look_rarely
from services.runtime.group import Record
from services.runtime.http import Health
from services.runtime.redis_client import sync_redis
from services.scorer.app import Scorer
from services.scorer.arms import Arms
from services.scorer.kafka_recommendations import KafkaLists
from services.scorer.made import Made
from services.scorer.metrics import Metrics, now_ms
from services.scorer.redis_profiles import RedisProfiles
from services.scorer.settings import ScorerOptions
from services.scorer.split import Split

STAGES = ("fetch", "read", "vectors", "candidates", "rank", "compose", "explain", "write", "send", "acknowledge")
ONCE = 200  # lists made one at a time
WARM = 3  # batches before the clock runs

Told = Callable[[str], None]
T = TypeVar("T")


class ScorerBench(Struct, frozen=True):
    """See `segue bench scorer --help`."""

    tracks: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    known: int = 100
    listeners: int = 512
    seconds: float = 5.0
    batch: int = ScorerOptions().max_batch
    ranked: bool = True
    seed: int = 7
    partitions: int = LISTENS.partitions


class ScorerRate(Struct, frozen=True):
    """One catalogue. `stages_us`: of the clock, a list; `cpu_us`: of this process, its sending thread included."""

    lists_per_second: float
    cpu_us: float
    stages_us: dict[str, float]
    reference_per_second: float
    reference_cpu_us: float
    ratio: float  # ours / reference, lists a second
    one_p50_ms: float
    one_p99_ms: float
    reference_one_p50_ms: float
    list_bytes: int
    index: str


class Bench:
    """One scorer, in this process, on a real Redis and a real broker."""

    def __init__(self, system: System, release: Release, options: ScorerBench, stop: threading.Event) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, Health(clock=time.monotonic))
        self.redis = sync_redis(system.redis)
        self.lists = KafkaLists(system.kafka, lambda: None, stop)
        settings = ListSettings()
        self.arms = Arms(release, Split(settings, settings))
        self.scorer = Scorer(
            RedisProfiles(self.redis), self.lists, self.metrics, Made(0), _at_once, now_ms, options.batch, 0
        )
        self.records = [notice(number, options.partitions) for number in range(options.listeners)]

    def make(self, records: Sequence[Record]) -> None:
        """Lists for these, as the scorer's loop does while more notices wait: all before them stand."""
        self.scorer.score(records, self.arms)

    def make_alone(self, records: Sequence[Record]) -> None:
        """Lists for these, all the way."""
        self.make(records)
        self.scorer.settle()

    def spent(self, stage: str) -> float:
        """Seconds in a stage so far."""
        return self.registry.get_sample_value("segue_scorer_stage_seconds_sum", {"stage": stage}) or 0.0

    def close(self) -> None:
        """Disconnect."""
        self.lists.close()
        self.redis.close()


def measure(options: ScorerBench, told: Told) -> dict[str, ScorerRate]:
    """Tracks -> what was measured. Raises Fatal, Transient or LocalError naming what did not work."""
    found = {}
    look_rarely()  # as the scorer does, before there is a release
    with System(options.partitions) as system:
        for tracks in options.tracks:
            told(f"making {tracks:,} tracks")
            rng = np.random.default_rng(options.seed)
            release = system.made(f"made-up-{tracks}", tracks, rng, ranked=options.ranked)
            system.fill(release, options.listeners, options.known, rng, version=0)
            with closing(Bench(system, release, options, threading.Event())) as bench:
                told(f"making lists of {tracks:,} tracks")
                found[str(tracks)] = _one(bench, release, options)
    return found


def _one(bench: Bench, release: Release, options: ScorerBench) -> ScorerRate:
    prepared, reference = _reference(bench, release)
    ours = _rate(bench.make, bench.records, options, lambda: {stage: bench.spent(stage) for stage in STAGES})
    theirs = _rate(reference, prepared, options, dict)
    once = _times(lambda at: bench.make_alone(bench.records[at : at + 1]), options)
    bare = _times(lambda at: reference(prepared[at : at + 1]), options)
    views = [ProfileView(data) for data in bench.scorer.seen]
    made = bench.arms.a.recommender.recommend(views, ListSettings().length)
    p50, p99, bare_p50 = float(np.median(once)), float(np.percentile(once, 99)), float(np.median(bare))
    return ScorerRate(
        ours.rate, ours.cpu_us, ours.stages, theirs.rate, theirs.cpu_us, round(ours.rate / theirs.rate, 3),
        round(p50, 3), round(p99, 3), round(bare_p50, 3), round(sum(len(encode(items)) for items in made) / len(made)),
        type(release.index).__name__,
    )  # fmt: skip


class Paced(Struct, frozen=True):
    """How fast batches went."""

    rate: float
    cpu_us: float
    stages: dict[str, float]


def _rate(
    work: Callable[[Sequence[T]], None],
    inputs: Sequence[T],
    options: ScorerBench,
    spent: Callable[[], dict[str, float]],
) -> Paced:
    """Batch after batch for so long."""
    size = min(options.batch, len(inputs))
    for _ in range(WARM):
        work(inputs[:size])
    before, done = spent(), 0
    begun, cpu = time.perf_counter(), time.process_time()
    while (took := time.perf_counter() - begun) < options.seconds:
        start = done % (len(inputs) - size + 1)
        work(inputs[start : start + size])
        done += size
    cpu = time.process_time() - cpu
    stages = {stage: round((seconds - before[stage]) / done * 1e6, 1) for stage, seconds in spent().items()}
    return Paced(round(done / took, 1), round(cpu / done * 1e6, 1), stages)


def _times(work: Callable[[int], None], options: ScorerBench) -> list[float]:
    """Milliseconds of each."""
    found = []
    for at in range(min(ONCE, options.listeners)):
        begun = time.perf_counter()
        work(at)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _reference(bench: Bench, release: Release) -> tuple[list[Weighted], Callable[[Sequence[Weighted]], None]]:
    """The same listeners, already read, and what folds them in and finds their nearest."""
    fold_in, n = FoldIn(release.factors, release.gram, AlsSettings()), ListSettings().length
    keys = [(record.partition, user(at)) for at, record in enumerate(bench.records)]
    views = [ProfileView(data) for data in RedisProfiles(bench.redis).read(keys) if data is not None]
    read = Reader(Shelf(release.catalogue), ListSettings(), 14.0).read(views)

    def work(batch: Sequence[Weighted]) -> None:
        search(release.index, fold_in.vectors(batch), 4 * n)

    return [(listener.rows, listener.weights) for listener in read], work


def notice(number: int, partitions: int) -> Record:
    """That a listener's profile changed: it was folded up to offset 0."""
    name = user(number)
    partition = partition_of(name.encode(), partitions)
    now = time.time_ns() // 1_000_000
    return Record(partition, number, encode(ProfileChanged(name, partition, 0, now, now)))


def _at_once(call: Callable[[], T], /) -> T:
    """Nothing is away here, and if it is, that is the end."""
    return call()
