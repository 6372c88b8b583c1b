"""`segue bench NAME` of what is measured: figures beside a reference from the same run, where there is one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from rich.console import Console


def register(bench: typer.Typer) -> None:
    """Add the commands."""
    for command in (freshness, profiler, scorer, outcomes, memory, release, growth):
        bench.command()(command)


def freshness(
    rates: Annotated[str, typer.Option(help="Listens a second, each measured alone.")] = "10,50,200,1000,2000",
    seconds: Annotated[str, typer.Option(help="Load for so long at each rate, and as long on the relay.")] = "30s",
    tracks: Annotated[int, typer.Option(min=1_000, help="In the catalogue.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis; any of them may listen.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same load.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How soon a list can be read after its listen, beside a relay of two loops that only copy.

    Example: `segue bench freshness --rates 50,200 --seconds 30s --json`
    """
    from services.bench.freshness import FreshnessOptions, measure
    from services.bench.show import numbers, show_freshness
    from services.cli.times import some_seconds

    console = console_of(as_json)
    pace = some_seconds(seconds)
    found = measure(FreshnessOptions(numbers(rates), pace, tracks, profiles, seed=seed), console.print)
    _end(console, found, show_freshness, as_json)


def profiler(
    listens: Annotated[int, typer.Option(min=1_000, help="In the log that is folded.")] = 500_000,
    listeners: Annotated[int, typer.Option(min=1, help="Whose they are.")] = 2_000,
    only: Annotated[str, typer.Option(help="NAME,… of faust, bulk, bare_faust, bare_aiokafka.")] = "",
    log: Annotated[
        list[Path] | None, typer.Option(help="A log of your own instead, in any format of `segue import`.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same log.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How many listens a second one profiler folds, in both loops, beside loops that read them and do nothing.

    Example: `segue bench profiler --listens 200000 --json`
    """
    from services.bench.profiler import ProfilerBench, measure
    from services.bench.show import show_rates

    console = console_of(as_json)
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    found = measure(ProfilerBench(listens, listeners, names, seed), console.print, _listens_of(log or []))
    _end(console, found, show_rates, as_json)


def scorer(
    tracks: Annotated[str, typer.Option(help="Catalogues of so many tracks, each measured alone.")] = (
        "10000,100000,1000000"
    ),
    known: Annotated[int, typer.Option(min=1, help="Tracks that a listener knows, each played twice.")] = 100,
    listeners: Annotated[int, typer.Option(min=64, help="Whose lists are made, again and again.")] = 512,
    seconds: Annotated[str, typer.Option(help="For so long, and as long for the reference.")] = "5s",
    batch: Annotated[int, typer.Option(min=1, help="Lists made at once.")] = 64,
    ranked: Annotated[bool, typer.Option("--ranker/--no-ranker", help="With a ranker, as releases have one.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same tracks and listeners.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How many lists a second one scorer makes, and where the time goes, beside fold-in and nearest neighbours alone.

    Example: `segue bench scorer --tracks 100000 --seconds 5s --json`
    """
    from services.bench.scorer import ScorerBench, measure
    from services.bench.show import counts, show_scorer
    from services.cli.times import some_seconds

    console = console_of(as_json)
    sizes, pace = counts(tracks, "--tracks", 1_000), some_seconds(seconds)
    options = ScorerBench(sizes, known, listeners, pace, batch, ranked=ranked, seed=seed)
    _end(console, measure(options, console.print), show_scorer, as_json)


def outcomes(
    listens: Annotated[
        int, typer.Option(min=1_000, max=1_000_000, help="That are judged, a list made for each.")
    ] = 50_000,
    listeners: Annotated[int, typer.Option(min=1, help="Whose they are.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same listens.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How many listens a second live evaluation judges by the lists before them, beside a loop that only reads both.

    Example: `segue bench outcomes --listens 100000 --json`
    """
    from services.bench.outcomes import OutcomesBench, measure
    from services.bench.show import show_rates

    console = console_of(as_json)
    _end(console, measure(OutcomesBench(listens, listeners, seed), console.print), show_rates, as_json)


def memory(
    plays: Annotated[str, typer.Option(help="Listeners of so many plays, each kind measured alone.")] = "20,200,2000",
    log: Annotated[
        list[Path] | None,
        typer.Option("--listens", "--log", help="A log of your own, as `segue import` reads."),
    ] = None,
    listeners: Annotated[int, typer.Option(min=1, help="Of each kind.")] = 200,
    tracks: Annotated[int, typer.Option(min=1_000, help="In the scorer's catalogue.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis while the services are weighed.")] = 10_000,
    seconds: Annotated[str, typer.Option(help="Load before they are weighed; 0: they are not.")] = "10s",
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same listeners.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """What a listener takes in Redis and what each service takes; of a log also the curve of bytes against NDCG@100.

    SEGUE_TASTE_* apply, but to the curve, which has bounds of its own.

    Example: `segue bench memory --plays 20,200,2000 --json`
    """
    import os

    from services.bench.memory import MemoryBench, measure
    from services.bench.show import counts, show_memory
    from services.cli.times import parse_seconds
    from services.profiler.settings import ProfilerSettings
    from services.runtime.settings import load

    console = console_of(as_json)
    pace = parse_seconds(seconds, "--seconds") if seconds.rstrip("s") != "0" else 0.0
    options = MemoryBench(counts(plays, "--plays"), listeners, tracks, profiles, pace, seed)
    taste = load(ProfilerSettings, os.environ).taste
    _end(console, measure(options, taste, _listens_of(log or []), console.print), show_memory, as_json)


def release(
    tracks: Annotated[int, typer.Option(min=1_000, help="In the releases that are swapped.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis; any of them may listen.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, help="Listens a second.")] = 200.0,
    seconds: Annotated[str, typer.Option(help="Load for so long without a swap, and as long with one.")] = "20s",
    listeners: Annotated[int, typer.Option(min=0, help="Of the crowd that is learned from; 0: no training.")] = 150,
    days: Annotated[int, typer.Option(min=7, help="That the crowd listens for.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same releases.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How long a release takes to train, load and warm, and the longest gap between lists while it is swapped in.

    Example: `segue bench release --tracks 100000 --rate 200 --json`
    """
    from services.bench.release import ReleaseBench, measure
    from services.bench.show import show_release
    from services.cli.times import some_seconds

    console = console_of(as_json)
    pace = some_seconds(seconds)
    options = ReleaseBench(tracks, profiles, rate=rate, seconds=pace, listeners=listeners, days=days, seed=seed)
    _end(console, measure(options, console.print), show_release, as_json)


def growth(
    only: Annotated[str, typer.Option(help="NAME,… of profiler, scorer, freshness, memory, release, train.")] = "",
    users: Annotated[str, typer.Option(help="So many listeners.")] = "1000,10000,100000",
    tracks: Annotated[str, typer.Option(help="So many tracks.")] = "10000,100000,200000",
    partitions: Annotated[str, typer.Option(help="So many partitions.")] = "1,8,32",
    listens: Annotated[
        int, typer.Option(min=1_000, help="That a profiler folds; a training has 5 times as many.")
    ] = 100_000,
    seconds: Annotated[str, typer.Option(help="Of load, each time.")] = "5s",
    plot: Annotated[Path | None, typer.Option(help="Draw it here, as SVG.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same listeners and tracks.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, on standard output.")] = False,
) -> None:
    """How the figures of the other benchmarks grow with users, tracks and partitions.

    Example: `segue bench growth --only profiler,scorer --plot growth.svg`
    """
    from services.bench.growth import MEASURES, GrowthBench, drawn, measure
    from services.bench.show import counts, show_growth
    from services.cli.plots import refuse_unwritable
    from services.cli.times import some_seconds

    refuse_unwritable(plot)
    console = console_of(as_json)
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    if unknown := set(names) - set(MEASURES):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not of {', '.join(MEASURES)}", param_hint="--only")
    options = GrowthBench(
        names, counts(users, "--users"), counts(tracks, "--tracks", 1_000), counts(partitions, "--partitions"),
        listens, some_seconds(seconds), seed,
    )  # fmt: skip
    found = measure(options, console.print)
    _end(console, found, show_growth, as_json)
    if plot is not None:  # last: what was measured is told by now, should the plot fail
        plot.write_text(drawn(found), encoding="utf-8")


def _listens_of(files: list[Path]) -> "pl.DataFrame | None":
    """What the importer reads in these; None: there are none."""
    import time

    from services.importer.loading import load
    from services.importer.report import Report
    from services.importer.rows import Options

    if not files:
        return None
    report = Report(lambda problem: typer.echo(str(problem), err=True))
    return load(files, options=Options(now_ms=time.time_ns() // 1_000_000), report=report).listens


def _end(console: "Console", found: object, show: "Callable[[Console, Any], None]", as_json: bool) -> None:
    """A table, and with --json what was found last."""
    import sys

    from msgspec.json import encode

    show(console, found)
    if as_json:
        sys.stdout.write(encode(found).decode() + "\n")


def console_of(as_json: bool) -> "Console":
    """Where tables go: with --json beside standard output, which holds that JSON and nothing else."""
    from rich.console import Console

    console = Console(stderr=as_json)
    if not console.is_terminal:
        console.width = 120
    return console
