"""`segue simulate`: a believable crowd for those who have no data at hand."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for listens.parquet and tracks.parquet.")],
    listeners: Annotated[int, typer.Option(min=2, help="How many listeners.")] = 500,
    days: Annotated[int, typer.Option(min=1, help="How many days they live through.")] = 45,
    seed: Annotated[int, typer.Option(help="The same seed, the same crowd.")] = 42,
) -> None:
    """Write the listens and tracks of a simulated crowd, for `segue import parquet`, `segue train` or `segue demo`.

    Example: `segue simulate --out ./crowd --days 30`
    """
    from rich.console import Console
    from rich.progress import Progress

    from services.demo.data import make_data
    from services.demo.options import DemoOptions

    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        bar.add_task(f"{listeners:,} listeners, {days} days", total=None)
        made = make_data(DemoOptions(listeners=listeners, days=days, seed=seed), lambda _: None)
    out.mkdir(parents=True, exist_ok=True)
    made.listens.write_parquet(out / "listens.parquet")
    made.tracks.write_parquet(out / "tracks.parquet")
    console.print(f"{made.listens.height:,} listens of {made.tracks.height:,} tracks in {out}", highlight=False)
