"""`segue tune`: which settings of ALS does this log call for?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.reading import Files, Map, Tracks, User, columns_of, read_files

if TYPE_CHECKING:
    from rich.console import Console

    from services.evaluate.tuning import Tuned


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tune)


def tune(
    listens: Annotated[list[Path], typer.Option(help="A log, in any format that import reads; may be given again.")],
    out: Annotated[Path, typer.Option(help="The settings file to write (TOML).")] = Path("tuned.toml"),
    study: Annotated[Path, typer.Option(help="File of the trials: run again with it, the search goes on.")] = Path(
        "tune.db"
    ),
    trials: Annotated[int, typer.Option(min=1, help="In all, those of earlier runs with this study among them.")] = 40,
    weeks: Annotated[int, typer.Option(min=1, help="Windows of a week that are held out, at the end of the log.")] = 2,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many weeks at the end, to judge on later.")] = 0,
    listeners: Annotated[int, typer.Option(min=1, help="Asked each week at most, drawn at random.")] = 300,
    half_life: Annotated[
        bool, typer.Option(help="Search the half-life of tastes too; profiles must then be rebuilt.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of what is tried and who is asked.")] = 42,
    threads: Annotated[int, typer.Option(min=0, help="Of a fit; 0: every core.")] = 0,
    tracks: Tracks = None,
    user: User = None,
    mapped: Map = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots of all trials.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Search factors, regularisation, iterations, confidence and half-life by NDCG@100 and full AUC on held-out weeks.

    End it at any time (Ctrl-C) and run it again: the study file has what was tried. Needs no broker; optuna, which
    segue\\[evaluate] brings.

    Example: `segue tune --listens listens.parquet --skip 4 --trials 60 --out tuned.toml --html tuned.html`
    """
    import os
    import time

    from rich.console import Console

    from services.evaluate.app import prove_writable
    from services.evaluate.progress import shown
    from services.evaluate.settings import EvaluateSettings, Outputs
    from services.evaluate.tuning import Plan, Trial
    from services.evaluate.tuning import tune as search
    from services.runtime.files import prove_apart
    from services.runtime.settings import load

    settings = load(EvaluateSettings, os.environ)
    prove_writable(Outputs(out, html))
    console = Console(stderr=True)
    files = Files(listens, tracks or (), user=user, columns=columns_of(mapped))
    prove_apart(files.named, [("--out", out), ("--study", study), ("--html", html)])
    frames = read_files(files, time.time_ns() // 1_000_000, console, count=False)

    def best(trial: Trial) -> None:
        console.print(
            f"trial {trial.number}: ndcg@100 {trial.worth.ndcg:.4f}, auc {trial.worth.auc:.4f}", highlight=False
        )

    plan = Plan(study, trials, weeks, skip, listeners, half_life, seed, threads)
    with shown(console) as tell:
        found = search(frames.listens, frames.tracks, settings.taste, settings.als, plan, tell, best)
    _give(found, out, html, console, as_json)


def _give(found: "Tuned", out: Path, html: Path | None, console: "Console", as_json: bool) -> None:
    """Write the settings and the page; print the settings, or everything as JSON."""
    import sys

    import msgspec

    from services.evaluate.tuned import settings_file
    from services.runtime.files import write_whole

    write_whole(out, lambda path: path.write_text(settings_file(found), encoding="utf-8"))
    if html is not None:
        from services.evaluate.tuning_page import page  # with the library that draws

        write_whole(html, lambda path: path.write_text(page(found), encoding="utf-8"))
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    typer.echo(settings_file(found))
    console.print(f"written to {out}; use it: segue train --settings {out}", markup=False, highlight=False)
