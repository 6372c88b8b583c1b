"""`segue demo`: the main job, on an embedded Kafka and Redis."""

from pathlib import Path
from typing import Annotated

import typer

SECONDS_OFF_TERMINAL = 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    listens: Annotated[
        list[Path] | None, typer.Option(help="A real log instead of a simulated crowd: any format that import reads.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Whose log it is, for exports that do not say.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Listens a second of the live part.")] = 50.0,
    for_: Annotated[
        str | None,
        typer.Option("--for", help="Seconds of live listening, or 5m; else 30s, on a terminal until Ctrl-C."),
    ] = None,
    listeners: Annotated[int, typer.Option(min=2, help="Of the simulated crowd.")] = 500,
    days: Annotated[int, typer.Option(min=1, help="Of the simulated history.")] = 45,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same crowd.")] = 42,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object last, on standard output.")] = False,
) -> None:
    """Start everything here, import a history, train a release, then listen live and watch the lists change.

    Example: `segue demo --listens my-spotify-export.zip --user me --for 60s`
    """
    import signal
    import sys

    from msgspec.json import encode
    from rich.console import Console

    from services.cli.times import parse_seconds
    from services.demo.app import Demo
    from services.demo.options import DemoOptions
    from services.demo.processes import check_settings
    from services.demo.summary import show

    check_settings()
    console = Console(stderr=as_json)  # with --json standard output holds that one object and nothing else
    seconds = parse_seconds(for_) if for_ else None if console.is_terminal else SECONDS_OFF_TERMINAL
    options = DemoOptions(tuple(listens or ()), user, rate, seconds, listeners, days, seed)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # which leaves nothing behind
    run = Demo(options, console)
    made = run.run()
    show(console, made)
    console.print(run.farewell, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")
