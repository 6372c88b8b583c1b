"""`segue import`: other people's formats into the stream."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.audio.settings import Task
from services.cli.reading import Map, Tracks, columns_of, tell_labels

if TYPE_CHECKING:
    from rich.console import Console

    from services.importer.app import Summary

Form = Literal["auto", "listenbrainz", "spotify", "lastfm", "hetrec", "csv", "parquet", "jsonl", "audio"]
Unit = Literal["s", "ms", "us", "ns"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)


def import_(
    form: Annotated[
        Form,
        typer.Argument(
            metavar="FORMAT", help="auto, listenbrainz, spotify, lastfm, hetrec, csv, parquet, jsonl or audio"
        ),
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files, archives or folders.")],
    user: Annotated[str | None, typer.Option(help="Whose listens these are, for exports that do not say.")] = None,
    mapped: Map = None,
    tracks: Tracks = None,
    time_unit: Annotated[Unit | None, typer.Option(help="Of numeric times; else told from their size.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of text files; else UTF-8.")] = None,
    task: Annotated[
        Task, typer.Option(help="audio: the folders are its classes (genre, emotion, instrument).")
    ] = "genre",
    labels: Annotated[Path | None, typer.Option(help="audio: a CSV that says more; else one in the folder.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Report what is wrong, line by line; send nothing.")] = False,
    show: Annotated[int, typer.Option(min=0, help="How many bad lines are shown; all are counted.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object last.")] = False,
) -> None:
    """Read files into `listens` and `tracks`, each event once however often you run it; bad lines are skipped.

    Example: `segue import spotify my_spotify_data.zip --user me`, first with `--check` to see what is wrong with it
    """
    import sys
    import time

    import msgspec
    from rich.console import Console

    from services.cli.settings import client_settings
    from services.importer import app as importer
    from services.importer.rows import Options

    columns = columns_of(mapped)
    options = Options(time.time_ns() // 1_000_000, user, columns=columns, time_unit=time_unit, encoding=encoding)
    options = msgspec.structs.replace(options, task=task, labels=labels)
    name = None if form == "auto" else form
    console = Console(stderr=True)

    def tell(problem: object) -> None:
        console.print(str(problem), markup=False, highlight=False, soft_wrap=True)

    if check:
        made = importer.check(files, options, form=name, track_files=tracks or (), tell=tell)
    else:
        kafka = client_settings().kafka
        made = importer.run(
            files, kafka, options, form=name, track_files=tracks or (), tell=tell, shown=show, console=console
        )
    _show(console, made)
    tell_labels(console, made.labels)
    if as_json:
        sys.stdout.write(msgspec.json.encode(made).decode() + "\n")
    raise typer.Exit(int(made.bad > 0) if check else made.exit_status)


def _show(console: "Console", made: "Summary") -> None:
    left_out = ", ".join(f"{rows:,} {why}" for why, rows in made.left_out.items())
    console.print(
        f"{made.listens:,} listens of {made.tracks:,} tracks: {made.sent:,} sent, {made.already:,} were there already, "
        f"{made.bad:,} bad lines" + (f", left out: {left_out}" if left_out else "")
        + f"; {made.seconds:.1f} s, {made.per_second:,.0f} listens/s",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
