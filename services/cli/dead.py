"""`segue dead list | show | replay`: what could not be taken in, why, and sending it again once it is mended."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.dead.letters import Case, Origin, Selection
    from services.dead.mending import Mend
    from services.dead.replay import Plan
    from services.runtime.settings import KafkaSettings

dead = typer.Typer(no_args_is_help=True, help="The dead letters: what could not be taken in, and why.")
Cause = Annotated[str | None, typer.Option(help="Only of this cause, e.g. bad-schema.")]
Since = Annotated[str | None, typer.Option(help="Only from then on: 30m, 2h, 7d ago, or 2026-01-31[T12:00[Z]] in UTC.")]
OfPartition = Annotated[int | None, typer.Option(min=0, help="Only from this partition of listens.")]
AtOffset = Annotated[int | None, typer.Option(min=0, help="Only from this offset (with --partition).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(dead, name="dead")


@dead.command("list")
def list_(
    cause: Cause = None,
    since: Since = None,
    partition: OfPartition = None,
    most: Annotated[int, typer.Option("-n", "--newest", min=0, help="How many of the newest to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with all of them.")] = False,
) -> None:
    """Count them by cause and show the newest; what is in them is not shown.

    Example: `segue dead list --cause future --since 2h`
    """
    import json
    import sys

    from rich.console import Console

    from services.cli.settings import client_settings
    from services.dead import show as shown

    found = list(_cases(client_settings().kafka, _selection(cause, since, partition, None)).values())
    if as_json:
        sys.stdout.write(json.dumps(shown.as_json(found)) + "\n")
        return
    console = Console()
    if not found:
        console.print("no dead letters" + (" of these" if cause or since or partition is not None else ""))
        return
    console.print(shown.causes(found))
    if most:
        console.print()
        console.print(shown.newest(found, most))


@dead.command("show")
def show(
    partition: Annotated[int, typer.Argument(min=0, help="The partition of listens that it came from.")],
    offset: Annotated[int, typer.Argument(min=0, help="Its offset there.")],
    whole: Annotated[bool, typer.Option("--all", help="All bytes, however many.")] = False,
) -> None:
    """Show one with its headers, decoded where it is JSON, and its bytes as they came.

    Example: `segue dead show 3 1234`
    """
    from services.cli.settings import client_settings
    from services.dead import show as shown
    from services.runtime.errors import Fatal

    found = _cases(client_settings().kafka, _selection(None, None, partition, offset))
    if not found:
        raise Fatal(f"no dead letter is about offset {offset} of partition {partition}; see `segue dead list`")
    for case in found.values():
        for line in shown.in_full(case, whole=whole):
            typer.echo(line)


@dead.command("replay")
def replay(
    cause: Cause = None,
    since: Since = None,
    partition: OfPartition = None,
    offset: AtOffset = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE to set; may be given again.")] = None,
    file: Annotated[Path | None, typer.Option(help="Send what is in this file instead (one letter only).")] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Mend each in $EDITOR.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were sent already.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without asking; else it is shown and asked.")] = False,
) -> None:
    """Mend dead letters and send them to where they came from; each is sent once. Exit 1 if any is still bad.

    Without --yes and without a terminal to ask on, only what would be done is shown.

    Example: `segue dead replay --partition 3 --offset 1234 --set listened_at=1767225600000`
    """
    import sys
    import time

    from rich.console import Console

    from services.cli.settings import client_settings
    from services.dead import show as shown
    from services.dead.replay import plan

    kafka, console = client_settings().kafka, Console()
    mend = _mend(changes, file, edit=edit)
    found = list(_cases(kafka, _selection(cause, since, partition, offset)).values())
    _one_at_most(found, file, changes or [])
    made = plan(found, mend, time.time_ns() // 1_000_000, again=again)
    if not found:
        console.print("no dead letters of these; see `segue dead list`")
        return
    console.print(shown.planned(made))
    if made.ready and (yes or (sys.stdin.isatty() and typer.confirm(f"send {len(made.ready):,}?"))):
        _send(kafka, made, console)
    elif made.ready:
        console.print(f"nothing was sent; --yes sends the {len(made.ready):,} that are ready", highlight=False)
    raise typer.Exit(int(bool(made.refused)))


def _send(kafka: "KafkaSettings", made: "Plan", console: "Console") -> None:
    from rich.console import Console

    from services.dead.replay import send
    from services.runtime.steps import one_step

    went = []
    with one_step(Console(stderr=True), "Sending") as told:
        for _, where in send(kafka, made.ready):
            went.append(where)
            told(len(went), len(made.ready))
    console.print(f"{len(went):,} sent, the last one to {went[-1]}", highlight=False)


def _cases(kafka: "KafkaSettings", selection: "Selection") -> "dict[Origin, Case]":
    from services.dead.letters import cases, read
    from services.runtime.kafka_log import KafkaLog

    with KafkaLog(kafka, "segue-dead") as log:
        return cases(read(log), selection)


def _selection(cause: str | None, since: str | None, partition: int | None, offset: int | None) -> "Selection":
    from services.cli.times import since_ms
    from services.dead.letters import Selection

    if offset is not None and partition is None:
        raise typer.BadParameter("an offset alone names nothing: give --partition too", param_hint="--offset")
    return Selection(cause, partition, offset, since_ms(since))


def _mend(changes: list[str] | None, file: Path | None, *, edit: bool) -> "Mend":
    import shlex

    from services.dead import mending

    if (bool(changes) + (file is not None) + edit) > 1:
        raise typer.BadParameter("give one of --set, --file and --edit")
    if changes:
        return mending.setting(changes)
    if file is not None:
        return mending.from_file(file)
    if edit:
        return mending.by_hand(shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"))
    return mending.unchanged


def _one_at_most(found: "list[Case]", file: Path | None, changes: list[str]) -> None:
    if len(found) > 1 and any(change.startswith("event_id=") for change in changes):
        raise typer.BadParameter(
            f"one event_id for {len(found)} letters would make all but one a repeat: add --partition and --offset",
            param_hint="--set",
        )
    if file is not None and len(found) > 1:
        raise typer.BadParameter(
            f"--file is one message, but {len(found)} are chosen: add --partition and --offset", param_hint="--file"
        )
