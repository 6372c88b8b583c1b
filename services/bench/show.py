"""Measurements as tables, and what is typed to ask for them."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from services.bench.freshness import Freshness
from services.bench.profiler import Rate
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


def show_profiler(console: Console, found: Mapping[str, Rate]) -> None:
    """One line a loop, and how it compares with the one that does nothing."""
    table = Table("loop", "listens/s", "listens", "seconds", "of the bare loop", box=None)
    for name, it in found.items():
        bare = found.get({"faust": "bare_faust", "bulk": "bare_aiokafka"}.get(name, ""))
        share = f"{it.listens_per_second / bare.listens_per_second:.2f}" if bare and bare.listens_per_second else ""
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
