"""`segue simulate`: a believable crowd for those who have no data at hand, in files or on a running stream."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.demo.crowd import Played

INTERRUPTED = 130
WHY_NONE = "are `segue profiler` and `segue scorer` running, and has `segue trainer` made a release? try `segue check`"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    out: Annotated[
        Path | None, typer.Option(help="Only write listens.parquet and tracks.parquet to this folder.")
    ] = None,
    listeners: Annotated[int, typer.Option(min=2, help="How many listeners.")] = 500,
    days: Annotated[int, typer.Option(min=0, help="How many days of history they have lived through; 0: none.")] = 45,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same crowd and history.")] = 42,
    rate: Annotated[float, typer.Option(min=0.1, help="Live listens a second.")] = 20.0,
    for_: Annotated[
        str | None, typer.Option("--for", help="Seconds of live listening, or 5m; 0: none; else until Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object last, on standard output.")] = False,
) -> None:
    """Let a simulated crowd listen to a running stream, or write its history to files.

    The history is sent once, however often you run it; then the crowd listens live, and plays some of what its lists
    offer, until Ctrl-C. Files (--out) are for `segue import parquet`, `segue train` and `segue demo`.

    Example: `SEGUE_KAFKA_BOOTSTRAP=localhost:9092 segue simulate --days 30 --rate 50 --for 60s`
    """
    import os
    import sys
    import time

    from msgspec.json import encode
    from rich.console import Console

    from services.cli.times import parse_seconds

    if out is not None:
        if for_ is not None or as_json:
            raise typer.BadParameter("--out writes files and plays nothing: leave out --for and --json")
        if not days:
            raise typer.BadParameter("a crowd without history has no listens to write: at least 1", param_hint="--days")
        return _write(out, listeners, days, seed)

    from services.cli.settings import client_settings
    from services.demo.crowd import CrowdOptions, Stream, play_crowd
    from services.importer.state import state_folder
    from services.runtime import log
    from services.runtime.settings import LogSettings
    from services.runtime.shutdown import stop_event

    options = CrowdOptions(listeners, days, seed, rate, parse_seconds(for_) if for_ else None)
    kafka = client_settings().kafka
    console = Console(stderr=as_json)
    log.configure(LogSettings(level="WARNING"), "simulate", time.monotonic)  # aiokafka without a broker logs a storm
    stop = stop_event()
    made = play_crowd(Stream(kafka, state_folder(os.environ), stop.is_set), options, console)
    _show(console, made)
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")
    if made.stopped:
        raise typer.Exit(INTERRUPTED)
    return None


def _write(out: Path, listeners: int, days: int, seed: int) -> None:
    from rich.console import Console

    from services.demo.data import make_data
    from services.demo.options import DemoOptions
    from services.runtime.steps import one_step

    console = Console(stderr=True)
    with one_step(console, f"Living {days} days of {listeners:,} listeners"):
        made = make_data(DemoOptions(listeners=listeners, days=days, seed=seed), lambda _: None)
    out.mkdir(parents=True, exist_ok=True)
    made.listens.write_parquet(out / "listens.parquet")
    made.tracks.write_parquet(out / "tracks.parquet")
    console.print(f"{made.listens.height:,} listens of {made.tracks.height:,} tracks in {out}", highlight=False)


def _show(console: "Console", made: "Played") -> None:
    from rich.table import Table

    fresh = "   ".join(f"{name} {value:.1f} ms" for name, value in made.latency_ms.items())
    table = Table(box=None, show_header=False, padding=(0, 2))
    history = f"{made.history:,} listens sent, {made.already:,} were there already; {made.tracks:,} tracks sent"
    table.add_row("history", history + (" – stopped: run it again, it goes on from there" if made.stopped else ""))
    table.add_row("live", f"{made.listens:,} listens sent, {made.lists:,} lists seen, {made.unanswered:,} without one")
    if made.lists:
        table.add_row("from a list", f"{made.plays_from_list:,} plays, {_share(made.acceptance)} of them heard")
        table.add_row("hit rate at 20", f"{_share(made.hit_rate_at_20)} of the other plays were in the list that stood")
        table.add_row("event → list", fresh or "no list came for these listens")
    elif made.listens:
        table.add_row("no lists came", WHY_NONE)
    console.print(table)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
