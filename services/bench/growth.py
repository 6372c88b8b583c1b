"""How each figure grows with users, tracks and partitions: the other benchmarks, again and again, at several sizes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure as Canvas
from msgspec import Struct

from models.taste import TasteSettings
from services.bench import freshness, memory, profiler, release, scorer
from services.bench.made import quiet
from services.evaluate.plots import OURS, svg
from services.local.stack import LocalStack
from services.runtime.redis_client import sync_redis
from services.runtime.settings import RedisSettings

MEASURES = ("profiler", "scorer", "freshness", "memory", "release")
ACROSS = 3  # panels beside one another
RATE = 50.0  # listens a second, of freshness
PLAYS = 20  # of a listener, of memory

Told = Callable[[str], None]


class Size(NamedTuple):
    """What a benchmark is run at."""

    users: int
    tracks: int
    partitions: int


class GrowthBench(Struct, frozen=True):
    """See `segue bench growth --help`. The middle of each is what the others are grown at."""

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


Figures = dict[str, float]  # by unit


def measure(options: GrowthBench, told: Told) -> list[Series]:
    """All that are wanted. Raises Fatal, Transient or LocalError naming what did not work."""
    makers: dict[str, Callable[[Size, GrowthBench], Figures]] = {
        "profiler": _profiler, "scorer": _scorer, "freshness": _freshness, "memory": _memory, "release": _release,
    }  # fmt: skip
    return [
        series for name in MEASURES if name in (options.only or MEASURES)
        for series in _grown(name, makers[name], options, told)
    ]  # fmt: skip


def _grown(
    name: str, figures: Callable[[Size, GrowthBench], Figures], options: GrowthBench, told: Told
) -> list[Series]:
    """Each of its figures against each of the sizes; what several series have in common is measured once."""
    along = {against: tuple(sorted(getattr(options, against))) for against in Size._fields}
    middle = Size(*(sizes[len(sizes) // 2] for sizes in along.values()))
    known: dict[Size, Figures] = {}
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for against, sizes in along.items():
        for size in sizes:
            at = middle._replace(**{against: size})
            if at not in known:
                told(f"{name}: {at.users:,} users, {at.tracks:,} tracks, {at.partitions} partitions")
                known[at] = figures(at, options)
            for unit, figure in known[at].items():
                found.setdefault((unit, against), []).append((size, figure))
    return [Series(name, unit, against, points) for (unit, against), points in found.items()]


def _profiler(at: Size, options: GrowthBench) -> Figures:
    bench = profiler.ProfilerBench(options.listens, at.users, ("faust", "bulk"), options.seed, at.partitions, at.tracks)
    rates = profiler.measure(bench, quiet)
    return {f"listens/s, {loop}": rate.listens_per_second for loop, rate in rates.items()}


def _scorer(at: Size, options: GrowthBench) -> Figures:
    bench = scorer.ScorerBench(
        (at.tracks,), listeners=at.users, seconds=options.seconds, seed=options.seed, partitions=at.partitions
    )
    [it] = scorer.measure(bench, quiet).values()
    return {"lists/s": it.lists_per_second, "CPU µs a list": it.cpu_us}


def _freshness(at: Size, options: GrowthBench) -> Figures:
    bench = freshness.FreshnessOptions(
        (RATE,), options.seconds, at.tracks, at.users, seed=options.seed, partitions=at.partitions
    )
    [it] = freshness.measure(bench, quiet).values()
    return {f"p50 ms at {RATE:g}/s": it.p50_ms, f"p99 ms at {RATE:g}/s": it.p99_ms}


def _memory(at: Size, options: GrowthBench) -> Figures:
    """Redis as a whole, so that what its tables add with their size is in it; and what the services hold."""
    stack = LocalStack(kafka=False, redis_options={"appendonly": "no"})
    with stack, sync_redis(RedisSettings(url=stack.redis_url)) as redis:
        rng = np.random.default_rng(options.seed)
        crowd = (memory.made(f"listener-{number}", PLAYS, rng) for number in range(at.users))
        used = memory.stored(redis, crowd, TasteSettings(), weigh=False).used
    bench = memory.MemoryBench(
        tracks=at.tracks, profiles=at.users, seconds=options.seconds, seed=options.seed, partitions=at.partitions
    )
    rss = memory.resident(bench, quiet)
    return {
        f"Redis, bytes a listener of {PLAYS} plays": used, "RSS MiB, scorer": rss["scorer"],
        "RSS MiB, profiler": rss["profiler"],
    }  # fmt: skip


def _release(at: Size, options: GrowthBench) -> Figures:
    bench = release.ReleaseBench(
        at.tracks, at.users, seconds=max(15.0, options.seconds), listeners=0, seed=options.seed,
        partitions=at.partitions,
    )  # fmt: skip
    it = release.measure(bench, quiet)
    return {"load s": it.load_s, "swap s": it.swap_s, "longest gap ms": it.swapping.longest_gap_ms}


def drawn(found: Sequence[Series]) -> str:
    """One panel a series, as SVG; sizes on a scale of powers."""
    down = -(-len(found) // ACROSS)
    canvas = Canvas(figsize=(3.6 * min(ACROSS, len(found)), 2.7 * down), layout="constrained")
    panels = canvas.subplots(down, min(ACROSS, len(found)), squeeze=False).ravel()
    for panel, series in zip(panels, found, strict=False):
        sizes, figures = zip(*series.points, strict=True)
        panel.plot(sizes, figures, "o-", color=OURS, linewidth=1.5, markersize=4)
        panel.set_xscale("log")
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
        panel.minorticks_off()
        panel.set_ylim(bottom=0, top=1.15 * max(figures) or 1.0)
        panel.set_title(f"{series.measure}: {series.unit}", fontsize=8)
        panel.set_xlabel(series.against, fontsize=8)
        panel.tick_params(labelsize=7)
        panel.grid(alpha=0.25)
    for panel in panels[len(found) :]:
        panel.set_axis_off()
    return svg(canvas, "how figures grow with users, tracks and partitions")
