"""`segue topics apply | plan`: create and configure the topics that schemas/topics.py says."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.runtime.topics import Change

topics = typer.Typer(no_args_is_help=True, help="The topics: what there should be, and making it so.")
Partitions = Annotated[
    list[str] | None, typer.Option("--partitions", help="TOPIC=N, when it is created; may be given several times.")
]
Replication = Annotated[int | None, typer.Option(help="Copies of each partition, when it is created.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(topics, name="topics")


@topics.command()
def apply(partitions: Partitions = None, replication: Replication = None) -> None:
    """Create missing topics and mend settings; run it as often as you like. Never shrinks, repartitions or deletes.

    Example: `segue topics apply --partitions listens=64 --partitions profiles=64 --partitions recommendations=64`
    """
    from services.cli.settings import client_settings
    from services.runtime import topics as runtime

    _show(runtime.apply(client_settings().kafka, _counts(partitions), replication), done=True)


@topics.command()
def plan(partitions: Partitions = None, replication: Replication = None) -> None:
    """Show what `apply` would do; change nothing.

    Example: `segue topics plan`
    """
    from services.cli.settings import client_settings
    from services.runtime import topics as runtime

    _show(runtime.plan(client_settings().kafka, _counts(partitions), replication), done=False)


def _counts(partitions: list[str] | None) -> dict[str, int]:
    counts = {}
    for item in partitions or ():
        topic, _, number = item.partition("=")
        if not number.isdecimal():
            raise typer.BadParameter(f"{item!r} is not TOPIC=N", param_hint="--partitions")
        counts[topic] = int(number)
    return counts


def _show(changes: tuple["Change", ...], *, done: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("topic", "done" if done else "to do", "partitions", "settings", box=None)
    for change in changes:
        config = ", ".join(f"{name}={value}" for name, value in change.config.items())
        table.add_row(change.topic, change.action, str(change.partitions), config)
    Console().print(table)
