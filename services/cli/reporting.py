"""`segue report`: how good are the lists that are being served?"""

from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    since: Annotated[
        str | None, typer.Option(help="Only listens from then on: 30m, 2h, 7d ago, or 2026-01-31[T12:00[Z]] in UTC.")
    ] = None,
    chosen: Annotated[
        Literal["listener", "list", "other"] | None,
        typer.Option(help="Only what listeners chose themselves, what our lists played, or what a radio did."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output, not tables.")] = False,
) -> None:
    """Show how often listeners played what stood in their lists, and skipped it: by day, source, release and variant.

    Reads the topic `outcomes`, which `segue outcomes` writes beside the running services.

    Example: `segue report --since 7d`
    """
    import sys

    import msgspec
    from rich.console import Console

    from services.cli.settings import client_settings
    from services.cli.times import since_ms
    from services.report.figures import of_chosen
    from services.report.figures import report as figures
    from services.report.reading import gathered
    from services.report.table import table
    from services.runtime.kafka_log import KafkaLog
    from services.runtime.steps import one_step

    from_ms = since_ms(since)
    with (
        KafkaLog(client_settings().kafka, "segue-report") as log,
        one_step(Console(stderr=True), "Reading outcomes") as told,
    ):
        gathering = gathered(log, told)
    found, repeats = gathering.columns()
    wanted = found if from_ms is None else found.where(found.at >= from_ms)
    if chosen is not None:
        wanted = of_chosen(wanted, chosen)
    made = figures(wanted, repeats, gathering.unreadable)
    if as_json:
        sys.stdout.write(
            msgspec.json.encode({"since": from_ms, "only": chosen, **msgspec.to_builtins(made)}).decode() + "\n"
        )
        return
    console = Console()
    if not len(wanted):
        what = "no outcomes yet" if not len(found) else f"none of the {len(found):,} outcomes is of these"
        console.print(f"{what}; they come from `segue outcomes`, once listeners who have a list play something")
        return
    if not console.is_terminal:
        console.width = 140
    console.print(table(made))
