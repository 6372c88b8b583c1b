"""How each figure grows with users, tracks and partitions: the other benchmarks, again and again, at several sizes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from msgspec import Struct

from models.taste import TasteSettings
from models.train import TrainSettings
from services.bench import freshness, memory, past, profiler, release, scorer, size
from services.bench.made import quiet
from services.evaluate.plots import OTHERS, OURS, svg
from services.local.stack import LocalStack
from services.runtime.redis_client import sync_redis
from services.runtime.settings import RedisSettings

MEASURES = ("profiler", "scorer", "freshness", "memory", "release", "train")
ACROSS = 5  # panels beside one another
COLOURS = {"users": OURS, "tracks": OTHERS, "partitions": "#0d9488"}
RATES = (50.0, 200.0)  # listens a second, of freshness
PLAYS = 20  # of a listener, of memory
LEARNED = 5  # times as many listens as a profiler folds, of train
NOT_ALONG = {"train": {"partitions"}}  # a training reads files

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
        "train": _train,
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
    grown = [against for against in Size._fields if against not in NOT_ALONG.get(name, ())]
    middle = Size(*(sizes[len(sizes) // 2] for sizes in along.values()))
    known: dict[Size, Figures] = {}
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for against in grown:
        for each in along[against]:
            at = middle._replace(**{against: each})
            if at not in known:
                told(f"{name}: {', '.join(f'{getattr(at, what):,} {what}' for what in grown)}")
                known[at] = figures(at, options)
            for unit, figure in known[at].items():
                found.setdefault((unit, against), []).append((each, figure))
    return [Series(name, unit, against, points) for (unit, against), points in found.items()]


def _profiler(at: Size, options: GrowthBench) -> Figures:
    bench = profiler.ProfilerBench(options.listens, at.users, (), options.seed, at.partitions, at.tracks)
    rates = profiler.measure(bench, quiet)
    found: Figures = {}
    for loop, bare in profiler.REFERENCES.items():
        found[f"listens/s, {loop}"] = rates[loop].listens_per_second
        found[f"listens/s, {loop} / {bare}"] = rates[loop].listens_per_second / rates[bare].listens_per_second
    return found


def _scorer(at: Size, options: GrowthBench) -> Figures:
    bench = scorer.ScorerBench(
        (at.tracks,), listeners=at.users, seconds=options.seconds, seed=options.seed, partitions=at.partitions
    )
    [it] = scorer.measure(bench, quiet).values()
    return {"lists/s": it.lists_per_second, "lists/s / reference": it.ratio, "CPU µs a list": it.cpu_us}


def _freshness(at: Size, options: GrowthBench) -> Figures:
    bench = freshness.FreshnessOptions(
        RATES, options.seconds, at.tracks, at.users, seed=options.seed, partitions=at.partitions
    )
    found: Figures = {}
    for rate, it in freshness.measure(bench, quiet).items():
        found |= {f"p50 ms at {rate}/s": it.p50_ms, f"p99 ms at {rate}/s": it.p99_ms}
        found[f"p50 / relay at {rate}/s"] = it.ratio_p50
    return found


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
    resident = memory.resident(bench, quiet)
    return {
        f"Redis, bytes a listener of {PLAYS} plays": used,
        **{f"RSS MiB, {service}": mib for service, mib in resident.items()},
    }


def _release(at: Size, options: GrowthBench) -> Figures:
    bench = release.ReleaseBench(
        at.tracks, at.users, seconds=max(15.0, options.seconds), listeners=0, seed=options.seed,
        partitions=at.partitions,
    )  # fmt: skip
    it = release.measure(bench, quiet)
    return {
        "load s": it.load_s, "make s": it.make_s, "warm s": it.warm_s, "swap s": it.swap_s,
        "longest gap ms": it.swapping.longest_gap_ms, "longest gap / without a swap": it.ratio,
    }  # fmt: skip


def _train(at: Size, options: GrowthBench) -> Figures:
    """Without rehearsal and rankers, which fit the same once more each: for time."""
    made = past.Size(LEARNED * options.listens, at.users, at.tracks, options.seed)
    it = size.measure(size.SizeBench(made), TrainSettings(), quiet)
    found = {"s": sum(step.seconds for step in it.steps.values()), "peak MB": it.peak_mb, "release MB": it.release_mb}
    if it.als and it.implicit_alone:
        found["a pass of ALS / implicit alone"] = it.als.seconds / it.implicit_alone.seconds
    return found


def drawn(found: Sequence[Series]) -> str:
    """One panel a figure, a line for what it grows with, as SVG; sizes are in their order, smallest first."""
    panels: dict[tuple[str, str], list[Series]] = {}
    for series in found:
        panels.setdefault((series.measure, series.unit), []).append(series)
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    canvas = Canvas(figsize=(3.2 * across, 2.4 * down + 0.5), layout="constrained")
    axes = canvas.subplots(down, across, squeeze=False).ravel()
    lines: dict[str, Line2D] = {}
    for axis, ((name, unit), grown) in zip(axes, panels.items(), strict=False):
        for series in grown:
            sizes, figures = zip(*series.points, strict=True)
            colour = COLOURS[series.against]
            (line,) = axis.plot(range(len(sizes)), figures, "o-", color=colour, linewidth=1.5, markersize=4)
            lines.setdefault(f"{' / '.join(f'{size:,}' for size in sizes)} {series.against}", line)
        most = max(figure for series in grown for _, figure in series.points)
        axis.set_ylim(bottom=0, top=1.15 * most or 1.0)
        axis.set_xticks([])
        axis.set_title(f"{name}: {unit}", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.25)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    canvas.legend(list(lines.values()), list(lines), loc="outside upper center", ncols=len(lines), fontsize=8)
    return svg(canvas, "how figures grow with users, tracks and partitions")
