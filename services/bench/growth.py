"""How each figure grows with users, tracks and partitions: the other benchmarks, again and again, at several sizes."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from msgspec import Struct

from models.taste import TasteSettings
from services.bench import freshness, memory, profiler, release, scorer
from services.evaluate.plots import OURS, svg
from services.local.stack import LocalStack
from services.runtime.redis_client import sync_redis
from services.runtime.settings import RedisSettings

MEASURES = ("profiler", "scorer", "freshness", "memory", "release")
ACROSS = 3  # panels beside one another
RATE = 50.0  # listens a second, of freshness

Told = Callable[[str], None]


class GrowthBench(Struct, frozen=True):
    """See `segue bench growth --help`."""

    only: tuple[str, ...] = ()
    users: tuple[int, ...] = (1_000, 10_000, 100_000)
    tracks: tuple[int, ...] = (10_000, 100_000, 200_000)
    partitions: tuple[int, ...] = (1, 8, 32)
    listens: int = 100_000
    seconds: float = 5.0
    seed: int = 7


class Series(Struct, frozen=True):
    """One figure against one size; `points`: (size, figure), sizes rising."""

    measure: str
    unit: str
    against: str
    points: list[tuple[int, float]]


def measure(options: GrowthBench, told: Told) -> list[Series]:
    """All that are wanted. Raises Fatal, Transient or LocalError naming what did not work."""
    wanted = options.only or MEASURES
    makers: dict[str, Callable[[GrowthBench, Told], list[Series]]] = {
        "profiler": _profiler, "scorer": _scorer, "freshness": _freshness, "memory": _memory, "release": _release,
    }  # fmt: skip
    return [series for name in MEASURES if name in wanted for series in makers[name](options, told)]


def _profiler(options: GrowthBench, told: Told) -> list[Series]:
    def rate(users: int, partitions: int) -> float:
        told(f"profiler, bulk: {users:,} users, {partitions} partitions")
        bench = profiler.ProfilerBench(options.listens, users, ("bulk",), options.seed, partitions)
        return profiler.measure(bench, lambda _: None)["bulk"].listens_per_second

    middle, usual = options.users[len(options.users) // 2], profiler.ProfilerBench().partitions
    return [
        Series("bulk profiler", "listens/s", "users", [(users, rate(users, usual)) for users in options.users]),
        Series("bulk profiler", "listens/s", "partitions", [(each, rate(middle, each)) for each in options.partitions]),
    ]


def _scorer(options: GrowthBench, told: Told) -> list[Series]:
    bench = scorer.ScorerBench(options.tracks, seconds=options.seconds, seed=options.seed)
    found = scorer.measure(bench, told)
    lists = [(int(tracks), it.lists_per_second) for tracks, it in found.items()]
    cpu = [(int(tracks), it.cpu_us) for tracks, it in found.items()]
    return [Series("scorer", "lists/s", "tracks", lists), Series("scorer", "CPU µs a list", "tracks", cpu)]


def _freshness(options: GrowthBench, told: Told) -> list[Series]:
    def p50(tracks: int, profiles: int) -> float:
        told(f"freshness: {tracks:,} tracks, {profiles:,} users")
        bench = freshness.FreshnessOptions((RATE,), options.seconds, tracks, profiles, seed=options.seed)
        return freshness.measure(bench, lambda _: None)[f"{RATE:g}"].p50_ms

    users, tracks = options.users, options.tracks
    return [
        Series("freshness at 50/s", "p50 ms", "users", [(each, p50(tracks[0], each)) for each in users]),
        Series("freshness at 50/s", "p50 ms", "tracks", [(each, p50(each, users[0])) for each in tracks]),
    ]


def _memory(options: GrowthBench, told: Told) -> list[Series]:
    """Redis as a whole, so that what its tables add with their size is in it."""
    points = []
    stack = LocalStack(kafka=False, redis_options={"appendonly": "no"})
    with stack, sync_redis(RedisSettings(url=stack.redis_url)) as redis:
        for users in options.users:
            told(f"memory: {users:,} users of 20 plays")
            rng = np.random.default_rng(options.seed)
            crowd = (memory.made(f"listener-{at}", 20, rng) for at in range(users))
            points.append((users, memory.stored(redis, crowd, TasteSettings(), weigh=False).used))
    return [Series("Redis, 20 plays each", "bytes a listener", "users", points)]


def _release(options: GrowthBench, told: Told) -> list[Series]:
    swaps, gaps = [], []
    for tracks in options.tracks:
        told(f"release: {tracks:,} tracks")
        bench = release.ReleaseBench(tracks, 1_000, seconds=max(15.0, options.seconds), listeners=0, seed=options.seed)
        it = release.measure(bench, lambda _: None)
        swaps.append((tracks, it.swap_s))
        gaps.append((tracks, it.swapping.longest_gap_ms))
    return [Series("release", "swap s", "tracks", swaps), Series("release", "longest gap ms", "tracks", gaps)]


def drawn(found: Sequence[Series]) -> str:
    """One panel a series, as SVG; sizes on a scale of powers."""
    down = -(-len(found) // ACROSS)
    canvas = Canvas(figsize=(3.6 * min(ACROSS, len(found)), 2.7 * down), layout="constrained")
    panels = canvas.subplots(down, min(ACROSS, len(found)), squeeze=False).ravel()
    for panel, series in zip(panels, found, strict=False):
        sizes, figures = zip(*series.points, strict=True)
        panel.plot(sizes, figures, "o-", color=OURS, linewidth=1.5, markersize=4)
        panel.set_xscale("log")
        panel.set_ylim(bottom=0, top=1.15 * max(figures) or 1.0)
        panel.set_title(f"{series.measure}: {series.unit}", fontsize=9)
        panel.set_xlabel(series.against, fontsize=8)
        panel.tick_params(labelsize=7)
        panel.grid(alpha=0.25)
    for panel in panels[len(found) :]:
        panel.set_axis_off()
    return svg(canvas, "how figures grow with users, tracks and partitions")
