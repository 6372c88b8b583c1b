"""`segue check`: is everything here and reachable, and what to do where it is not."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check() -> None:
    """Look at packages, embedded servers, settings, broker, Redis, topics and release; exit 1 if anything is amiss.

    "unseen" is what cannot be looked at from here, such as a release in a container's volume.

    Example: `SEGUE_KAFKA_BOOTSTRAP=localhost:9092 segue check`
    """
    from rich.console import Console

    from services.cli.checks import findings

    console, amiss = Console(), 0
    for found in findings():
        mark = "[red]amiss  [/]" if not found.ok else "[green]ok     [/]" if found.seen else "[yellow]unseen [/]"
        console.print(f"{mark} {found.what:20} ", end="")
        console.print(found.says, markup=False, highlight=False, soft_wrap=True)
        amiss += not found.ok
    raise typer.Exit(int(amiss > 0))
