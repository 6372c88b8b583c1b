"""What a new release costs: to train it, load it, warm it, and the longest silence while it takes the place of another.

Training, loading and warming run in this process. The swap is in a real scorer under load: lists are watched on the
topic, first without a swap (the reference), then with one.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from aiokafka import ConsumerRecord
from msgspec import Struct
from msgspec.json import Decoder

from models.profile import ProfileView
from models.release import Release, load
from models.sources.settings import ListSettings
from models.train import TrainSettings
from schemas.topics import LISTENS, RECOMMENDATIONS
from services.bench.freshness import READY_S, listens
from services.bench.made import profile
from services.bench.system import System
from services.bench.traffic import ListAnswers, Message, Traffic
from services.scorer.app import WARMING
from services.scorer.arms import Arms
from services.scorer.split import Split
from services.simulator.crowd import make_crowd
from services.simulator.frames import listens_frame, tracks_frame
from services.simulator.settings import CrowdSettings
from services.trainer.offline import train_files

WARM_S = 5.0
AFTER = 0.25  # of the load with a swap until it is announced

Told = Callable[[str], None]


class ReleaseBench(Struct, frozen=True):
    """See `segue bench release --help`."""

    tracks: int = 100_000
    profiles: int = 10_000
    known: int = 50
    rate: float = 200.0
    seconds: float = 20.0
    listeners: int = 150  # of the crowd that is learned from; 0: nothing is trained
    days: int = 60
    seed: int = 7
    partitions: int = LISTENS.partitions


class Gaps(Struct, frozen=True):
    """Lists as they came, under one load. A gap is between two lists; its shortest possible is 1/rate."""

    lists: int
    longest_gap_ms: float
    p99_ms: float  # listen acknowledged to list readable
    max_ms: float
    unanswered: int


class ReleaseTimes(Struct, frozen=True):
    """Seconds; `swap_s`: announced to first list made with it. `ratio`: longest gap with a swap / without."""

    tracks: int
    train_s: float
    train_listens: int
    load_s: float
    make_s: float  # the recommender from what is loaded
    warm_s: float
    swap_s: float
    steady: Gaps
    swapping: Gaps
    ratio: float


class _Made(Struct):
    release_id: str


class WatchedAnswers(ListAnswers):
    """Also when lists came, and when the first of a release did."""

    def __init__(self, release: str) -> None:
        super().__init__()
        self.times: list[float] = []
        self.first: float | None = None
        self._release, self._of = release, Decoder(_Made).decode

    def came(self, record: ConsumerRecord, now: float) -> None:
        """See Answers."""
        super().came(record, now)
        self.times.append(now)
        if self.first is None and self._of(record.value).release_id == self._release:
            self.first = now


def measure(options: ReleaseBench, told: Told) -> ReleaseTimes:
    """All of it. Raises Fatal, Transient or LocalError naming what did not work."""
    rng = np.random.default_rng(options.seed)
    with System(options.partitions) as system:
        trained, learned = _trained(system.folder, options, told) if options.listeners else (0.0, 0)
        told(f"making two releases of {options.tracks:,} tracks")
        first, second = (system.made(name, options.tracks, rng, ranked=True) for name in ("first", "second"))
        system.tell(first)
        system.fill(first, options.profiles, options.known, rng)
        loaded, made, warmed = _loaded(system.folder / "releases" / second.id, options, rng)
        messages = listens(list(first.catalogue.track_ids), options.profiles, rng)
        told("lists under load, without and with a swap")
        steady, swapping, took = asyncio.run(_swapped(system, options, messages, second))
    ratio = round(swapping.longest_gap_ms / steady.longest_gap_ms, 2) if steady.longest_gap_ms else 0.0
    return ReleaseTimes(
        options.tracks, trained, learned, loaded, made, warmed, took, steady, swapping, ratio
    )  # fmt: skip


def _trained(folder: Path, options: ReleaseBench, told: Told) -> tuple[float, int]:
    """Seconds to train on a made-up crowd with the default settings, and how many listens it has."""
    settings = CrowdSettings(listeners=options.listeners)
    crowd = make_crowd(settings, np.random.default_rng(options.seed))
    heard, tracks = listens_frame(crowd.history(options.days)), tracks_frame(crowd.tracks())
    told(f"training on {heard.height:,} listens of {options.listeners:,} listeners")
    begun = time.perf_counter()
    train_files(heard, tracks, folder / "trained", TrainSettings(), time.time_ns() // 1_000_000)
    return round(time.perf_counter() - begun, 2), heard.height


def _loaded(folder: Path, options: ReleaseBench, rng: np.random.Generator) -> tuple[float, float, float]:
    """Seconds to load, to make the recommender, and to warm it as the scorer does."""
    settings, begun = ListSettings(), time.perf_counter()
    release = load(folder)
    loaded = time.perf_counter()
    arms = Arms(release, Split(settings, settings))
    made = time.perf_counter()
    views = [ProfileView(profile(release, options.known, rng).encode()) for _ in range(WARMING)]
    before = time.perf_counter()
    arms.warm(views)
    return round(loaded - begun, 3), round(made - loaded, 3), round(time.perf_counter() - before, 3)


async def _swapped(
    system: System, options: ReleaseBench, messages: Iterator[Message], second: Release
) -> tuple[Gaps, Gaps, float]:
    services = [system.start("profiler"), system.start("scorer")]
    for service in services:
        await service.ready(READY_S)
    async with Traffic(system.kafka, LISTENS.name, RECOMMENDATIONS.name) as traffic:
        await traffic.run(messages, options.rate, WARM_S, ListAnswers())
        steady, swapping = WatchedAnswers(second.id), WatchedAnswers(second.id)
        load = await traffic.run(messages, options.rate, options.seconds, steady)
        with system.telling(second) as tell:
            announcing = asyncio.create_task(_announced(tell, options.seconds * AFTER))
            other = await traffic.run(messages, options.rate, options.seconds, swapping)
            announced = await announcing
    for service in services:
        service.check()
    took = swapping.first - announced if swapping.first is not None else float("nan")
    return _gaps(steady, load.unanswered), _gaps(swapping, other.unanswered), round(took, 3)


async def _announced(tell: Callable[[], None], after: float) -> float:
    """Announce a release a while from now; when it was."""
    await asyncio.sleep(after)
    await asyncio.to_thread(tell)
    return time.perf_counter()


def _gaps(answers: WatchedAnswers, unanswered: int) -> Gaps:
    seconds = np.array(answers.seconds or [0.0]) * 1000
    gaps = np.diff(answers.times) * 1000 if len(answers.times) > 1 else np.zeros(1)
    p99, longest = np.percentile(seconds, (99, 100)).round(2).tolist()
    return Gaps(len(answers.times), round(float(gaps.max()), 2), p99, longest, unanswered)
