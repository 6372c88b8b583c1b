"""`segue train` and `segue releases list | show | diff | promote | rollback`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.audio.settings import Task
from services.cli.reading import Files, Lyrics, Map, Read, Tracks, User, columns_of, read_files
from services.cli.release_diff import diff
from services.cli.release_folders import folder_of, root_of

if TYPE_CHECKING:
    from rich.console import Console

    from services.trainer.releases import Listed

releases = typer.Typer(no_args_is_help=True, help="The releases: what was trained, what is in force.")
Folder = Annotated[Path | None, typer.Option(help="Where releases are; else SEGUE_TRAINER_RELEASES.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    releases.command()(diff)
    app.add_typer(releases, name="releases")


def train(
    out: Annotated[Path, typer.Option(help="The release folder to write; it must not exist.")],
    listens: Annotated[
        list[Path] | None, typer.Option(help="A log, in any format that import reads; may be given again.")
    ] = None,
    tracks: Tracks = None,
    lyrics: Lyrics = None,
    topics: Annotated[
        list[Path] | None, typer.Option(help="Songs with topics: CSV with artist_name, track_name, lyrics, topic.")
    ] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(help="A folder of recordings, as `segue import audio` reads it; several.")
    ] = None,
    task: Annotated[Task, typer.Option(help="What the folders of --audio are classes of.")] = "genre",
    user: User = None,
    mapped: Map = None,
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="A settings file that goes over SEGUE_CONFIG, as of `segue tune`.")
    ] = None,
    in_service: Annotated[
        Path | None, typer.Option(help="A release to be held against, whose factors are begun with.")
    ] = None,
) -> None:
    """Train a release from files, without a broker; the profiles of its listeners are left beside it.

    Example: `segue train --listens listens.parquet --tracks tracks.csv --out ./my-release`
    """
    import time

    from rich.console import Console

    from models.release import load as load_release
    from services.runtime.errors import Fatal
    from services.runtime.settings import load
    from services.trainer.offline import train_files
    from services.trainer.progress import shown
    from services.trainer.settings import TrainerSettings, trainer_settings

    settings = load(TrainerSettings, os.environ, settings_file) if settings_file else trainer_settings(os.environ)
    settings.prove()
    now = time.time_ns() // 1_000_000
    if out.exists():
        raise Fatal(f"{out} exists: a release is never overwritten; name another --out")
    service = load_release(in_service) if in_service else None
    if not (listens or tracks or lyrics or topics or audio):
        raise Fatal("nothing to train on: name --listens, --tracks, --lyrics, --topics or --audio")
    console = Console()
    columns = columns_of(mapped)
    files = Files(listens or (), tracks or (), lyrics or (), topics or (), audio or (), user, task, columns)
    frames = read_files(files, now, console)
    _prove(frames, files)
    with shown(console) as progress:
        train_files(frames.listens, frames.tracks, out, settings.train(), now, progress, service)
    _details(console, out)
    console.print(f"ask it: segue recommend USER --release {out}", highlight=False)


def _prove(frames: Read, files: Files) -> None:
    """Raise Fatal where listens were given and there are none, or there is nothing at all."""
    from services.runtime.errors import Fatal

    if frames.listens.is_empty() and (files.listens or frames.tracks.is_empty()):
        alone = "; without --listens a release is made of the tracks alone" if frames.tracks.height else ""
        raise Fatal(f"nothing to train on: the files hold no listen{alone}")


@releases.command("list")
def list_(folder: Folder = None, offline: Annotated[bool, typer.Option(help="Do not ask the broker.")] = False) -> None:
    """Show all releases, newest first, and which is in force.

    Example: `segue releases list --folder ./releases --offline`
    """
    from rich.console import Console
    from rich.table import Table

    from services.trainer.releases import listing

    table = Table("release", "made (UTC)", "listens", "tracks", "size", "", box=None)
    for found in listing(root_of(folder), None if offline else _current()):
        table.add_row(*_row(found))
    Console().print(table)


@releases.command()
def show(
    release: Annotated[str, typer.Argument(help="A release's id, or the path of its folder.")], folder: Folder = None
) -> None:
    """Check every byte of a release and show its manifest.

    Example: `segue releases show 20260101-120000-000`
    """
    from rich.console import Console

    _details(Console(), folder_of(release, folder))


@releases.command()
def promote(release: Annotated[str, typer.Argument(help="A release's id.")], folder: Folder = None) -> None:
    """Put a release in force; the scorers swap to it at once.

    Example: `segue releases promote 20260101-120000-000`
    """
    from services.cli.settings import client_settings
    from services.cli.stream import announcements

    before = announcements(client_settings().kafka).newest()
    path = folder_of(release, folder).resolve()
    again = before is not None and before.release_id == path.name
    previous = None if before is None else before.previous if again else before.release_id
    _announce(path, previous)
    typer.echo(f"{path.name} is in force" + (f" instead of {before.release_id}" if before and not again else ""))


@releases.command()
def rollback(folder: Folder = None) -> None:
    """Put the release in force that was before the current one; again: the one before that.

    It is looked for where releases were announced from, and else where the others are.

    Example: `segue releases rollback`
    """
    from services.cli.settings import client_settings
    from services.cli.stream import release_folder, release_history
    from services.runtime.errors import Fatal
    from services.trainer.releases import way_back

    history = release_history(client_settings().kafka)
    current, way = history[-1], way_back(history)
    if not way:
        raise Fatal(f"no release is known to have been in force before {current.release_id}: promote one by its id")
    places = [release_folder(each) for each in reversed(history) if each.release_id == way[-1]]
    places.append(release_folder(current).parent / way[-1])
    there = None if folder else next((place for place in places if place.is_dir()), None)
    _announce(there or folder_of(way[-1], folder), way[-2] if way[1:] else None)
    typer.echo(f"{way[-1]} is in force instead of {current.release_id}")


def _announce(path: Path, previous: str | None) -> None:
    """Put a release in force; `previous`: what to go back to from it."""
    import time

    from models.release import read_manifest
    from services.cli.settings import client_settings
    from services.cli.stream import announcements
    from services.trainer.releases import announcement

    gate = read_manifest(path).gate
    announcements(client_settings().kafka).announce(announcement(path, time.time_ns() // 1_000_000, previous))
    if gate and not gate.promoted:
        typer.echo(f"its gate had held it back: {gate.reason}", err=True)


def _current() -> str | None:
    from services.cli.settings import client_settings
    from services.cli.stream import announcements

    newest = announcements(client_settings().kafka).newest()
    return newest.release_id if newest else None


def _row(found: "Listed") -> list[str]:
    from datetime import UTC, datetime

    name, size = found.folder.name, f"{found.size / 1e6:.1f} MB"
    if found.manifest is None:
        return [name, "", "", "", size, f"unreadable: {found.problem}"]
    made = datetime.fromtimestamp(found.manifest.created_at / 1000, UTC)
    counts = f"{found.manifest.listens:,}", f"{found.manifest.tracks:,}"
    gate = found.manifest.gate
    held_back = f"held back: {gate.reason}" if gate and not gate.promoted else ""
    return [name, f"{made:%Y-%m-%d %H:%M:%S}", *counts, size, "in force" if found.current else held_back]


def _details(console: "Console", path: Path) -> None:
    from rich.table import Table

    from models.release import BadRelease
    from services.trainer.releases import show as look

    found = look(path)
    if found.manifest is None or found.problem:
        raise BadRelease(found.problem)
    console.print(f"{path}: whole, every hash as published", highlight=False)
    table = Table("", "what", "figures", box=None)
    for name, file in sorted(found.manifest.files.items()):
        table.add_row("file", name, f"{file.bytes / 1e6:.1f} MB  sha256 {file.sha256[:12]}…")
    for model, metrics in found.manifest.metrics.items():
        table.add_row("metrics", model, "  ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
    gate = found.manifest.gate
    if gate is not None:
        table.add_row("gate", "let through" if gate.promoted else "held back", gate.reason)
        for opponent, (mean, low, high) in gate.ahead.items():
            table.add_row("ahead of", opponent, f"ndcg@100 {mean:+.4f}  [{low:+.4f}, {high:+.4f}]")
    console.print(table)
