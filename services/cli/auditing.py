"""`segue audit`: is everything what the log says?"""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    history: Annotated[Path | None, typer.Option(help="Also compare this folder of the trainer's.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Wait so many seconds for the profiler to catch up.")] = 0.0,
    grace: Annotated[float, typer.Option(min=0, help="A list may come so many seconds after its profile.")] = 5.0,
    lists: Annotated[bool, typer.Option(help="Compare the lists with the profiles.")] = True,
    letters: Annotated[bool, typer.Option(help="Compare the dead letters with the log.")] = True,
    examples: Annotated[int, typer.Option(min=0, help="How many of each kind of trouble to tell.")] = 5,
    show_ids: Annotated[bool, typer.Option("--show-ids", help="Name the listeners; else only offsets.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Fold the whole log offline and compare: every profile byte for byte, every list, every dead letter.

    Read only, and right on a running system. Exit 0 when all is as it should be, 1 when not, or when the profiler has
    not caught up after --wait. The profiler's own SEGUE_TASTE_* must be set here too.

    Example: `segue audit --wait 30 --history .segue/history`
    """
    import os
    import sys

    import msgspec
    from rich.console import Console

    from services.audit.app import audit as run
    from services.audit.settings import AuditOptions, AuditSettings
    from services.audit.table import table
    from services.runtime.settings import load
    from services.runtime.steps import one_step

    settings = load(AuditSettings, os.environ)
    options = AuditOptions({}, lists, letters, history, wait, grace, examples, show_ids)
    with one_step(Console(stderr=True)) as told:
        found = run(settings, options, lambda what, done, of: told(done, of, what))
    if as_json:
        document = {"clean": found.clean, **msgspec.to_builtins(found)}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        Console().print(table(found))
    raise typer.Exit(int(not found.clean or found.left > 0))
