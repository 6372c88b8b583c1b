"""`segue evaluate`: how good are the lists that would have been served?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.reading import Files, Lyrics, Map, Tracks, User, columns_of, read_files

if TYPE_CHECKING:
    from models.evaluation.result import Evaluation
    from models.evaluation.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    listens: Annotated[list[Path], typer.Option(help="A log, in any format that import reads; may be given again.")],
    tracks: Tracks = None,
    lyrics: Lyrics = None,
    user: User = None,
    mapped: Map = None,
    weeks: Annotated[int, typer.Option(min=1, help="Windows of a week, at the end of the log.")] = 4,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many weeks at the end: tune on those before.")] = 0,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of the plays in these weeks, how many to guess.")
    ] = 0.08,
    baselines: Annotated[bool, typer.Option(help="Also judge each source alone and the baselines.")] = True,
    also: Annotated[
        list[str] | None,
        typer.Option(
            help="Also judge the lists with settings changed, `artist_cap=3 just_played=1`; may be given again."
        ),
    ] = None,
    leave_out: Annotated[bool, typer.Option(help="Also judge the lists without each of their sources.")] = False,
    lists: Annotated[
        Path | None,
        typer.Option(
            help="Write the served weekly lists here, and those of the next track beside them (.next.parquet)."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with plots, one self-contained page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output, not tables.")] = False,
) -> None:
    """Judge the lists that would have been served in the last weeks of a log, beside baselines. Needs no broker.

    Before each week everything is fitted on what came before; lists are made by the scorer's own code from profiles
    folded up to the moment. SEGUE_LIST_*, SEGUE_TASTE_* and SEGUE_ALS_* are those of the services.

    Example: `segue evaluate --listens listens.parquet --json --html report.html`
    """
    import os
    import time

    from rich.console import Console

    from models.evaluation.protocol import Protocol
    from services.evaluate.app import prove_writable, run
    from services.evaluate.lists import numbers_of
    from services.evaluate.progress import shown
    from services.evaluate.settings import EvaluateSettings, Outputs
    from services.runtime.files import prove_apart
    from services.runtime.settings import load

    users = numbers_of(listens) if user is None else None
    settings = load(EvaluateSettings, os.environ).evaluation(
        Protocol(weeks, skip, share), baselines, also or (), leave_out=leave_out, numbered=users is not None
    )
    outputs = Outputs(lists, html, users)
    prove_writable(outputs)
    progress = Console(stderr=True)
    files = Files(listens, tracks or (), lyrics or (), user=user, columns=columns_of(mapped))
    prove_apart(files.named, outputs.named)
    frames = read_files(files, time.time_ns() // 1_000_000, progress)
    with shown(progress) as tell:
        found = run(frames.listens, frames.tracks, settings, outputs, tell)
    _say(found, settings, as_json)


def _say(found: "Evaluation", settings: "Settings", as_json: bool) -> None:
    """On standard output."""
    import sys

    import msgspec
    from rich.console import Console

    from services.evaluate.document import document
    from services.evaluate.table import table

    if as_json:
        sys.stdout.write(msgspec.json.encode(document(found, settings)).decode() + "\n")
        return
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(table(found))
