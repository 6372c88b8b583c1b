"""`segue bench`: is what Segue promises kept, and how fast is it?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from rich.console import Console

    from services.faults.options import FaultOptions

bench = typer.Typer(help="Prove what Segue promises, and measure it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(bench, name="bench")


@bench.callback()
def _bench() -> None:
    """Prove what Segue promises, and measure it. Example: `segue bench freshness --rates 50,200`."""


@bench.command()
def faults(
    only: Annotated[str, typer.Option("--faults", help="NAME,… instead of all; `list` tells which there are.")] = "",
    seconds: Annotated[
        str, typer.Option(help="Load for so long in all; each fault strikes alone once anyway.")
    ] = "10m",
    seed: Annotated[int, typer.Option(help="The same seed, the same log and the same strikes.")] = 42,
    rate: Annotated[float, typer.Option(min=1, help="Listens a second.")] = 200.0,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between strikes that overlap.")] = 8.0,
    repeats: Annotated[int, typer.Option(min=1, help="Times that each fault strikes alone.")] = 1,
    zombie: Annotated[float, typer.Option(min=1, help="Seconds that a stopped process sleeps.")] = 30.0,
    away: Annotated[float, typer.Option(min=0, help="Seconds that a broker is away.")] = 20.0,
    spare: Annotated[
        bool, typer.Option(help="Kill only the first profiler and scorer, so that the others' memory says much.")
    ] = False,
    unguarded: Annotated[bool, typer.Option(help="Without the cursor's guard: the audit must find doubles.")] = False,
    logs: Annotated[str, typer.Option(help="Folder to copy the services' logs to at the end.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object last, on standard output.")] = False,
) -> None:
    """Hurt a real broker, a real Redis and real services under load, then audit every profile and every list.

    Ends with code 1 when anything was lost, doubled or left stale.

    Example: `segue bench faults --faults profiler_killed,redis_flushed --seconds 60s`
    """
    from services.cli.times import parse_seconds
    from services.faults.options import FaultOptions

    console = _console(as_json)
    if only == "list":
        _list(console)
        return
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    options = FaultOptions(
        names, parse_seconds(seconds, "--seconds"), seed, rate, every, repeats, zombie, away,
        spare=spare, guarded=not unguarded, logs=logs,
    )  # fmt: skip
    _run(options, console, as_json)


@bench.command()
def freshness(
    rates: Annotated[str, typer.Option(help="Listens a second, each measured alone.")] = "10,50,200,1000,2000",
    seconds: Annotated[str, typer.Option(help="Load for so long at each rate, and as long on the relay.")] = "30s",
    tracks: Annotated[int, typer.Option(min=1_000, help="In the catalogue.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis; any of them may listen.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed, the same load.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How soon a list can be read after its listen, beside a relay of two loops that only copy.

    Example: `segue bench freshness --rates 50,200 --seconds 30s --json`
    """
    from services.bench.freshness import FreshnessOptions, measure
    from services.bench.show import numbers, show_freshness
    from services.cli.times import parse_seconds

    console = _console(as_json)
    pace = parse_seconds(seconds, "--seconds")
    found = measure(FreshnessOptions(numbers(rates), pace, tracks, profiles, seed=seed), console.print)
    _end(console, found, show_freshness, as_json)


@bench.command()
def profiler(
    listens: Annotated[int, typer.Option(min=1_000, help="In the log that is folded.")] = 500_000,
    listeners: Annotated[int, typer.Option(min=1, help="Whose they are.")] = 2_000,
    only: Annotated[str, typer.Option(help="NAME,… of faust, bulk, bare_faust, bare_aiokafka.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed, the same log.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How many listens a second one profiler folds, in both loops, beside loops that read them and do nothing.

    Example: `segue bench profiler --listens 200000 --json`
    """
    from services.bench.profiler import ProfilerBench, measure
    from services.bench.show import show_profiler

    console = _console(as_json)
    names = tuple(name.strip() for name in only.split(",") if name.strip())
    found = measure(ProfilerBench(listens, listeners, names, seed), console.print)
    _end(console, found, show_profiler, as_json)


@bench.command()
def scorer(
    tracks: Annotated[str, typer.Option(help="Catalogues of so many tracks, each measured alone.")] = (
        "10000,100000,1000000"
    ),
    known: Annotated[int, typer.Option(min=1, help="Tracks that a listener knows, each played twice.")] = 100,
    listeners: Annotated[int, typer.Option(min=64, help="Whose lists are made, again and again.")] = 512,
    seconds: Annotated[str, typer.Option(help="For so long, and as long for the reference.")] = "5s",
    batch: Annotated[int, typer.Option(min=1, help="Lists made at once.")] = 64,
    ranked: Annotated[bool, typer.Option("--ranker/--no-ranker", help="With a ranker, as releases have one.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed, the same tracks and listeners.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How many lists a second one scorer makes, and where the time goes, beside fold-in and nearest neighbours alone.

    Example: `segue bench scorer --tracks 100000 --seconds 5s --json`
    """
    from services.bench.scorer import ScorerBench, measure
    from services.bench.show import counts, show_scorer
    from services.cli.times import parse_seconds

    console = _console(as_json)
    sizes, pace = counts(tracks, "--tracks", 1_000), parse_seconds(seconds, "--seconds")
    options = ScorerBench(sizes, known, listeners, pace, batch, ranked=ranked, seed=seed)
    _end(console, measure(options, console.print), show_scorer, as_json)


@bench.command()
def memory(
    plays: Annotated[str, typer.Option(help="Listeners of so many plays, each kind measured alone.")] = "20,200,2000",
    log: Annotated[
        list[Path] | None, typer.Option("--listens", help="A log of your own, in any format of `segue import`.")
    ] = None,
    listeners: Annotated[int, typer.Option(min=1, help="Of each kind.")] = 200,
    tracks: Annotated[int, typer.Option(min=1_000, help="In the scorer's catalogue.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis while the services are weighed.")] = 10_000,
    seconds: Annotated[str, typer.Option(help="Load before they are weighed; 0: they are not.")] = "10s",
    seed: Annotated[int, typer.Option(help="The same seed, the same listeners.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """What a listener takes in Redis and what each service takes; of a log also the curve of bytes against NDCG@100.

    Example: `segue bench memory --plays 20,200,2000 --json`
    """
    from services.bench.memory import MemoryBench, measure
    from services.bench.show import counts, show_memory
    from services.cli.times import parse_seconds

    console = _console(as_json)
    pace = parse_seconds(seconds, "--seconds") if seconds.rstrip("s") != "0" else 0.0
    options = MemoryBench(counts(plays, "--plays"), listeners, tracks, profiles, pace, seed)
    _end(console, measure(options, _listens_of(log or []), console.print), show_memory, as_json)


@bench.command()
def release(
    tracks: Annotated[int, typer.Option(min=1_000, help="In the releases that are swapped.")] = 100_000,
    profiles: Annotated[int, typer.Option(min=1, help="In Redis; any of them may listen.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, help="Listens a second.")] = 200.0,
    seconds: Annotated[str, typer.Option(help="Load for so long without a swap, and as long with one.")] = "20s",
    listeners: Annotated[int, typer.Option(min=0, help="Of the crowd that is learned from; 0: no training.")] = 150,
    days: Annotated[int, typer.Option(min=7, help="That the crowd listens for.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed, the same releases.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """How long a release takes to train, load and warm, and the longest gap between lists while it is swapped in.

    Example: `segue bench release --tracks 100000 --rate 200 --json`
    """
    from services.bench.release import ReleaseBench, measure
    from services.bench.show import show_release
    from services.cli.times import parse_seconds

    console = _console(as_json)
    pace = parse_seconds(seconds, "--seconds")
    options = ReleaseBench(tracks, profiles, rate=rate, seconds=pace, listeners=listeners, days=days, seed=seed)
    _end(console, measure(options, console.print), show_release, as_json)


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
    """A table, and with --json the one object last."""
    import sys

    from msgspec.json import encode

    show(console, found)
    if as_json:
        sys.stdout.write(encode(found).decode() + "\n")


@bench.command()
def lyrics(
    songs: Annotated[list[Path], typer.Argument(help="Songs with lyrics: CSV with artist, song, link, text.")],
    sizes: Annotated[str, typer.Option(help="Numbers of songs.")] = "5000,20000,50000",
    only: Annotated[str, typer.Option("--contestants", help="Who is timed.")] = "plain,tensorflow,ours,learned",
    recall: Annotated[float, typer.Option(min=0.01, max=1.0, help="Share of songs told by their words.")] = 0.9,
    most_epochs: Annotated[int, typer.Option(min=1, help="Of one contestant with one size.")] = 200,
    most: Annotated[str, typer.Option("--most", help="Time of one contestant with one size.")] = "1h",
    lines: Annotated[int, typer.Option(min=1, help="Held-out lines whose song is asked for.")] = 2_000,
    plot: Annotated[Path | None, typer.Option(help="Write how time grows with songs here, as SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object last, on standard output.")] = False,
) -> None:
    """Time the song model to the same training recall@1: plain PyTorch, TensorFlow, ours.

    `ours` imprints the last layer, `learned` learns its rows as the paper did. SEGUE_LYRICS_* apply.

    Example: `segue bench lyrics songs.csv --sizes 5000,20000 --contestants plain,ours --plot growth.svg`
    """
    import os
    import sys
    import time

    from msgspec.json import encode

    from services.cli.times import parse_seconds
    from services.importer.lyrics import read_lyrics
    from services.importer.report import Report
    from services.lyrics.drawing import growth, table
    from services.lyrics.recording import RecordOptions, record
    from services.runtime.settings import load
    from services.trainer.settings import TrainerSettings

    console = _console(as_json)
    options = RecordOptions(
        _numbers(sizes), tuple(name.strip() for name in only.split(",") if name.strip()), recall, most_epochs,
        parse_seconds(most, "--most"), lines,
    )  # fmt: skip
    frame = read_lyrics(songs, Report(lambda problem: typer.echo(str(problem), err=True)))
    tell = lambda text: console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)  # noqa: E731  # shorter so
    made = record(frame, options, load(TrainerSettings, os.environ).lyrics, tell)
    console.print(table(made))
    if plot is not None:
        plot.write_text(growth(made), encoding="utf-8")
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip().replace("_", "") for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and int(part) > 1 for part in parts):
        raise typer.BadParameter("numbers of songs with commas between, each over 1", param_hint="--sizes")
    return tuple(int(part) for part in parts)


def _list(console: "Console") -> None:
    from services.faults.injuries import FAULTS

    for fault in FAULTS.values():
        console.print(f"{fault.name:28} {fault.about}", highlight=False)


def _run(options: "FaultOptions", console: "Console", as_json: bool) -> None:
    import asyncio
    import logging
    import sys
    import time

    from msgspec.json import encode

    from services.faults.app import Run
    from services.faults.report import show

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker is away is the point
    result = asyncio.run(
        Run(options, lambda text: console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)).run()
    )
    show(console, result)
    if as_json:
        sys.stdout.write(encode(result).decode() + "\n")
    if not result.clean:
        raise typer.Exit(1)


def _console(as_json: bool) -> "Console":
    from rich.console import Console

    console = Console(stderr=as_json)  # with --json standard output holds that one object and nothing else
    if not console.is_terminal:
        console.width = 120
    return console
