"""`segue compare`: how good are the models alone, on counts without times?"""

from pathlib import Path
from typing import Annotated

import typer

MODELS = "popular,item_knn,ease,als,als_tuned,ncf"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)


def compare(
    counts: Annotated[Path, typer.Option(help="Text or Parquet; its first three columns are listener, item, count.")],
    models: Annotated[str, typer.Option(help="Which, with commas between; ease is what differences are to.")] = MODELS,
    seeds: Annotated[int, typer.Option(min=1, help="Splits by chance.")] = 5,
    held_out: Annotated[float, typer.Option(help="Share of each listener's items, above 0 and below 1.")] = 0.2,
    trials: Annotated[
        int, typer.Option(min=0, help="Settings tried for each model on each split; ncf a quarter; 0: the defaults.")
    ] = 24,
    threads: Annotated[int, typer.Option(min=0, help="Of ALS; 0: every core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output, not tables.")] = False,
) -> None:
    """Compare collaborative models by how they rank held-out items, by full ranking. Needs no broker and no times.

    Each split is tuned for itself, inside its training part, with as many trials for each model. ncf needs torch
    (segue\\[neural]) and is skipped without. `segue evaluate` is the one to ask where there are times.

    Example: `segue compare --counts user_artists.dat --seeds 5 --json`
    """
    import sys

    import msgspec
    from rich.console import Console

    from models.counts.run import Plan
    from services.evaluate.comparing import chosen, run
    from services.evaluate.counts_table import counts_table
    from services.evaluate.progress import shown

    plan = Plan(chosen(models), seeds, held_out, trials=trials, threads=threads)
    with shown(Console(stderr=True)) as tell:
        found = run(counts, plan, tell)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(counts_table(found))
