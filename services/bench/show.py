"""Measurements as tables, and what is typed to ask for them."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from services.bench.freshness import Freshness
from services.bench.growth import Series
from services.bench.memory import Memory
from services.bench.rates import Rate
from services.bench.release import ReleaseTimes
from services.bench.scorer import STAGES, ScorerRate
from services.bench.size import Found
from services.runtime.settings import BadSetting


def numbers(text: str) -> tuple[float, ...]:
    """`50,200` as numbers. Raises BadSetting on anything else."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise BadSetting(f"--rates {text!r}: write numbers with commas between them: 50,200") from error
    if not all(0 < each < 1e6 for each in found):
        raise BadSetting(f"--rates {text!r}: a rate is above 0 and below a million")
    return found


def counts(text: str, option: str, least: int = 1) -> tuple[int, ...]:
    """`10000,100000` as whole numbers. Raises BadSetting on anything else."""
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isdecimal() and least <= int(part) < 10**9 for part in parts):
        raise BadSetting(f"{option} {text!r}: write whole numbers from {least} on with commas between them")
    return tuple(int(part) for part in parts)


def show_freshness(console: Console, found: Mapping[str, Freshness]) -> None:
    """One line a rate; milliseconds."""
    table = Table(
        "listens/s", "sent/s", "p50 ms", "p95", "p99", "max", "relay p50", "p95", "p99", "max", "ratio p50",
        "waiting ½", "at the end", "unanswered", "load late ms", box=None,
    )  # fmt: skip
    for rate, it in found.items():
        table.add_row(
            rate, f"{it.sent_per_second:g}", f"{it.p50_ms:.2f}", f"{it.p95_ms:.2f}", f"{it.p99_ms:.2f}",
            f"{it.max_ms:.1f}", f"{it.relay_p50_ms:.2f}", f"{it.relay_p95_ms:.2f}", f"{it.relay_p99_ms:.2f}",
            f"{it.relay_max_ms:.1f}", f"{it.ratio_p50:.2f}", str(it.waiting_half), str(it.waiting_end),
            str(it.unanswered), f"{it.load_late_ms:g}",
        )  # fmt: skip
    console.print(table)


def show_rates(console: Console, found: Mapping[str, Rate]) -> None:
    """One line a loop, and how it compares with the one that does nothing."""
    table = Table("loop", "listens/s", "listens", "seconds", "of the bare loop", box=None)
    for name, it in found.items():
        share = "" if it.ratio is None else f"{it.ratio:.2f}"
        table.add_row(name, f"{it.listens_per_second:,.0f}", f"{it.listens:,}", f"{it.seconds:g}", share)
    console.print(table)


def show_size(console: Console, found: Found) -> None:
    """One line a step, then what was made and how fast ALS is."""
    table = Table("step", "seconds", "processor seconds", "peak MB", box=None)
    for name, cost in found.steps.items():
        table.add_row(name, f"{cost.seconds:,.1f}", f"{cost.cpu_seconds:,.1f}", f"{cost.peak_mb:,.0f}")
    console.print(table)
    about = Table("", "", box=None, show_header=False)
    about.add_row("history", f"{found.listens:,} listens of {found.listeners:,} listeners, {found.tracks:,} tracks")
    about.add_row("neighbours", f"{found.neighbour_pairs:,} kept")
    about.add_row("release", f"{found.release_mb:,.0f} MB")
    about.add_row("peak of all steps", f"{found.peak_mb:,.0f} MB")
    for name, pace in (("ALS, a pass", found.als), ("implicit alone, a pass", found.implicit_alone)):
        if pace is not None:
            about.add_row(name, f"{pace.seconds:.3f} s, {pace.cpu_seconds:.3f} of the processor")
    console.print(about)


def show_scorer(console: Console, found: Mapping[str, ScorerRate]) -> None:
    """One line a catalogue, then its stages."""
    table = Table("tracks", "lists/s", "reference", "ratio", "CPU µs", "one p50 ms", "p99", "reference", box=None)
    stages = Table("µs a list", *STAGES, box=None)
    for tracks, it in found.items():
        table.add_row(
            f"{int(tracks):,}", f"{it.lists_per_second:,.0f}", f"{it.reference_per_second:,.0f}", f"{it.ratio:.2f}",
            f"{it.cpu_us:,.0f}", f"{it.one_p50_ms:.2f}", f"{it.one_p99_ms:.2f}", f"{it.reference_one_p50_ms:.2f}",
        )  # fmt: skip
        stages.add_row(f"{int(tracks):,}", *(f"{it.stages_us[stage]:.0f}" for stage in STAGES))
    console.print(table)
    console.print(stages)


def show_memory(console: Console, found: Memory) -> None:
    """Bytes by plays, RSS by service, and the curve where a log was given."""
    table = Table(
        "plays", "listeners", "head", "past", "in Redis: head", "past", "grown by", "as events", "ratio",
        "GiB a million", box=None,
    )  # fmt: skip
    for name, it in found.redis.items():
        table.add_row(
            name, f"{it.listeners:,}", f"{it.head:,.0f}", f"{it.past:,.0f}", f"{it.redis_head:,.0f}",
            f"{it.redis_past:,.0f}", f"{it.used:,.0f}", f"{it.events:,.0f}", f"{it.ratio:.3f}",
            f"{it.gib_a_million:.2f}",
        )  # fmt: skip
    console.print(table)
    if found.rss_mib:
        console.print("RSS, MiB: " + ", ".join(f"{name} {mib:,.0f}" for name, mib in found.rss_mib.items()))
    if found.curve:
        points = Table("bounds", "bytes", "NDCG@100", "lost", box=None)
        for point in found.curve:
            points.add_row(point.bounds, f"{point.bytes:,.0f}", f"{point.ndcg_100:.4f}", f"{point.lost:.1%}")
        console.print(points)


def show_release(console: Console, it: ReleaseTimes) -> None:
    """Its times, then lists without and with a swap."""
    times = Table("tracks", "train s", "of listens", "load s", "make s", "warm s", "swap s", "gap ratio", box=None)
    times.add_row(
        f"{it.tracks:,}", f"{it.train_s:g}", f"{it.train_listens:,}", f"{it.load_s:g}", f"{it.make_s:g}",
        f"{it.warm_s:g}", f"{it.swap_s:g}", f"{it.ratio:g}",
    )  # fmt: skip
    gaps = Table("under load", "lists", "longest gap ms", "listen to list p99 ms", "max", "unanswered", box=None)
    for name, lists in (("steady", it.steady), ("swapping", it.swapping)):
        gaps.add_row(
            name, f"{lists.lists:,}", f"{lists.longest_gap_ms:g}", f"{lists.p99_ms:g}", f"{lists.max_ms:g}",
            str(lists.unanswered),
        )  # fmt: skip
    console.print(times)
    console.print(gaps)


def show_growth(console: Console, found: Sequence[Series]) -> None:
    """One line a series."""
    table = Table("figure", "unit", "against", "size: figure", box=None)
    for it in found:
        points = ", ".join(f"{size:,}: {figure:,.4g}" for size, figure in it.points)
        table.add_row(it.measure, it.unit, it.against, points)
    console.print(table)
