"""The files that a command is given, as listens and tracks: what bad lines there are is told on standard error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from models.audio.settings import Task

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from services.runtime.files import Named

CLASSES = 12  # of a task, named
Lyrics = Annotated[list[Path] | None, typer.Option(help="Songs with lyrics: CSV with artist, song, link, text.")]
User = Annotated[str | None, typer.Option(help="Whose log it is, for exports that do not say.")]
Tracks = Annotated[list[Path] | None, typer.Option(help="Whole tracks: CSV, Parquet or JSON lines.")]
Map = Annotated[
    list[str] | None, typer.Option("--map", help="OURS=THEIRS, e.g. user_id=USER; csv and parquet; several.")
]


class Files(NamedTuple):
    """What a command may be given; recordings are of classes of `task`."""

    listens: Sequence[Path] = ()
    tracks: Sequence[Path] = ()
    lyrics: Sequence[Path] = ()
    topics: Sequence[Path] = ()
    audio: Sequence[Path] = ()
    user: str | None = None  # whose log it is, for exports that do not say
    task: Task = "genre"
    columns: Mapping[str, str] = MappingProxyType({})  # of tables: our name -> the file's

    @property
    def named(self) -> "list[Named]":
        """Each file that is read, by its option."""
        given = {
            "--listens": self.listens, "--tracks": self.tracks, "--lyrics": self.lyrics, "--topics": self.topics,
            "--audio": self.audio,
        }  # fmt: skip
        return [(option, path) for option, paths in given.items() for path in paths]


class Read(NamedTuple):
    """`listens` by time; `tracks`, each once, with what lyrics, topics and recordings say of them."""

    listens: "pl.DataFrame"
    tracks: "pl.DataFrame"


def columns_of(mapped: Sequence[str] | None) -> dict[str, str]:
    """What `--map` says. Raises BadSetting."""
    from services.runtime.settings import BadSetting

    columns = dict(item.split("=", 1) for item in mapped or () if "=" in item)
    if len(columns) != len(mapped or ()):
        raise BadSetting(f"--map {' '.join(mapped or ())}: each is OURS=THEIRS, and ours once")
    return columns


def read_files(files: Files, now_ms: int, console: "Console", count: bool = True) -> Read:
    """Read them, and say how much there is. Raises NoSuchFile, BadOption."""
    from services.importer.catalogue import filled
    from services.importer.loading import load
    from services.importer.lyrics import join, read_lyrics, read_topics
    from services.importer.report import Report
    from services.importer.rows import Options

    tell = lambda problem: typer.echo(str(problem), err=True)  # noqa: E731  # shorter so
    report, heard = Report(tell), Report(tell, limit=None)  # recordings left out here are named nowhere else
    options = Options(now_ms=now_ms, user=files.user, task=files.task, columns=files.columns)
    with console.status("reading the files"):
        frames = load(files.listens, files.tracks, options=options, report=report)
        tracks = frames.tracks
        if files.audio:
            tracks = filled(tracks, load(files.audio, form="audio", options=options, report=heard).tracks)
        if files.lyrics or files.topics:
            tracks = join(tracks, read_lyrics(files.lyrics, report), read_topics(files.topics, report))
    tell_labels(console, heard.labels)
    if count:
        console.print(
            f"{frames.listens.height:,} listens, {tracks.height:,} tracks, {report.bad + heard.bad:,} bad lines"
        )
    return Read(frames.listens, tracks)


def tell_labels(console: "Console", labels: Mapping[str, Mapping[str, int]]) -> None:
    """What recordings were found to be: a line a task."""
    for task, counted in labels.items():
        named = ", ".join(f"{name} ({count:,})" for name, count in [*counted.items()][:CLASSES])
        more = f" and {len(counted) - CLASSES} more" if len(counted) > CLASSES else ""
        classes = "class" if len(counted) == 1 else "classes"
        console.print(f"{task}: {len(counted)} {classes}: {named}{more}", markup=False, highlight=False, soft_wrap=True)
