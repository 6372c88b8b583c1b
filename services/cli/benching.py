"""`segue bench`: is what Segue promises kept, and how fast is it?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import measuring
from services.cli.measuring import console_of
from services.cli.sizing import size

if TYPE_CHECKING:
    from rich.console import Console

    from services.faults.options import FaultOptions

bench = typer.Typer(help="Prove what Segue promises, and measure it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    bench.command()(size)
    measuring.register(bench)
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
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same log and the same strikes.")] = 42,
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

    console = console_of(as_json)
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

    Example: `segue bench lyrics songs.csv --sizes 5000,20000 --contestants plain,ours --plot lyrics-growth.svg`
    """
    import os
    import sys
    import time

    from msgspec.json import encode

    from services.cli.plots import prove_drawable
    from services.cli.times import some_seconds
    from services.importer.lyrics import read_lyrics
    from services.importer.report import Report
    from services.lyrics.drawing import growth, table
    from services.lyrics.recording import RecordOptions, record
    from services.trainer.settings import trainer_settings

    if plot is not None:
        prove_drawable(plot, "--plot", [("SONGS", path) for path in songs])
    console = console_of(as_json)
    options = RecordOptions(
        _numbers(sizes), _contestants(only), recall, most_epochs,
        some_seconds(most, "--most"), lines,
    )  # fmt: skip
    frame = read_lyrics(songs, Report(lambda problem: typer.echo(str(problem), err=True)))
    progress = console_of(as_json=True)  # on standard error: the table is what standard output is for
    tell = lambda text: progress.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)  # noqa: E731  # shorter so
    made = record(frame, options, trainer_settings(os.environ).lyrics, tell)
    console.print(table(made))
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")
    if plot is not None:  # last: what was measured is told by now, should the plot fail
        plot.write_text(growth(made), encoding="utf-8")


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip().replace("_", "") for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and int(part) > 1 for part in parts):
        raise typer.BadParameter("numbers of songs with commas between, each over 1", param_hint="--sizes")
    return tuple(int(part) for part in parts)


def _contestants(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise typer.BadParameter("names of contestants with commas between, one at least", param_hint="--contestants")
    return names


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
