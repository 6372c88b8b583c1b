"""`segue pick` and `segue lyrics …`: music by its words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from models.lyrics.judge import Comparison
    from models.lyrics.pick import Picked
    from models.release import Release
    from models.sources.base import Listener

lyrics = typer.Typer(no_args_is_help=True, help="Music by its words: judge the models, find a song by a line.")
From = Annotated[Path | None, typer.Option(help="Answer from this release folder, else from the one in force.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pick)
    app.add_typer(lyrics, name="lyrics")


def pick(
    topic: Annotated[str, typer.Argument(help="What the songs are to be about; of an unknown one the list is shown.")],
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many songs.")] = 10,
    for_: Annotated[str | None, typer.Option("--for", help="A listener, by whose taste they are ranked.")] = None,
    release: From = None,
    as_json: AsJson = False,
) -> None:
    """Pick songs about a topic, those that are surely about it first.

    Example: `segue pick romantic -n 10 --release ./my-release`
    """
    import sys

    import msgspec
    from rich.console import Console
    from rich.table import Table

    from models.lyrics.pick import has_taste
    from models.lyrics.pick import pick as choose

    loaded, listener = _asked(release, for_)
    found = choose(loaded, topic, top, listener)
    if listener is not None and not has_taste(loaded, listener):
        typer.echo(f"{for_} is not known to like any song with lyrics: ranked as for anybody", err=True)
    if as_json:
        songs = [song._asdict() for song in found]
        document = {"topic": topic, "release_id": loaded.id, "for": for_, "songs": songs}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return
    table = Table("#", "title", "artist", "p", "known", "feels", "taste", box=None)
    for place, song in enumerate(found, 1):
        table.add_row(str(place), *_row(song))
    Console(markup=False).print(table)


def _row(song: "Picked") -> list[str]:
    taste = "" if song.taste is None else f"{song.taste:.2f}"
    known = "yes" if song.labelled else ""
    return [song.title, song.artist, f"{song.probability:.2f}", known, f"{song.sentiment:+.2f}", taste]


def _asked(folder: Path | None, user: str | None) -> "tuple[Release, Listener | None]":
    """The release, and the listener who is named: a stranger for one that nothing was heard of."""
    from models.release import load
    from services.cli import stream
    from services.cli.settings import client_settings
    from services.trainer.offline import profile_of

    if folder is not None:
        loaded = load(folder)
        return loaded, None if user is None else _listener(loaded, profile_of(folder, user))
    servers = client_settings()
    loaded = stream.load_release(stream.current_release(servers.kafka))
    if user is None:
        return loaded, None
    return loaded, _listener(loaded, stream.stored_profile(servers.kafka, servers.redis, user)[1])


def _listener(release: "Release", profile: bytes | None) -> "Listener":
    from models.profile import ProfileView
    from models.sources.reading import Reader
    from models.sources.settings import ListSettings
    from models.sources.shelf import Shelf

    half_life = float(release.setting("taste", "half_life_days"))
    reader = Reader(Shelf(release.catalogue), ListSettings(), half_life)
    return reader.read([None if profile is None else ProfileView(profile)])[0]


@lyrics.command()
def evaluate(
    topics: Annotated[list[Path], typer.Argument(help="CSV with artist_name, track_name, lyrics, topic.")],
    seeds: Annotated[int, typer.Option(min=1, help="Splits by artist, each with its own seed.")] = 5,
    picture: Annotated[Path | None, typer.Option(help="Write who was taken for what here, as SVG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge the four topic classifiers side by side: copies and other languages left out, split by artist.

    SEGUE_LYRICS_* are those of the trainer.

    Example: `segue lyrics evaluate topics.csv --seeds 5 --json`
    """
    import os
    import sys

    import msgspec
    from rich.console import Console

    from services.cli.plots import prove_drawable
    from services.importer.lyrics import read_topics
    from services.importer.report import Report
    from services.lyrics.judging import judge_topics
    from services.trainer.settings import trainer_settings

    if picture is not None:
        prove_drawable(picture, "--picture", [("TOPICS", path) for path in topics])
    progress = Console(stderr=True)
    report = Report(lambda problem: typer.echo(str(problem), err=True))
    songs = read_topics(topics, report)
    with progress.status("reading and judging") as status:
        found, left = judge_topics(
            songs, seeds, trainer_settings(os.environ).lyrics,
            lambda done: status.update(f"judging: {done:.0%}"),
        )  # fmt: skip
    typer.echo(str(left), err=True)
    if as_json:
        document = {**msgspec.structs.asdict(found), "left_out": left}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        _show(Console(), found, seeds)
    if picture is not None:  # last: what was judged is told by now, should the picture fail
        from services.lyrics.drawing import confusion

        picture.write_text(confusion(found), encoding="utf-8")


def _show(out: "Console", found: "Comparison", seeds: int) -> None:
    from rich.table import Table

    made = len(found.contenders[0].seeds)  # some leave nothing to learn from
    out.print(
        f"{found.songs:,} songs of {found.artists:,} artists, {found.copies} copies left out, "
        f"{made} of {seeds} splits by artist"
    )
    table = Table("", "accuracy", "macro F1", "against linear", "worst topic", box=None)
    for each in found.contenders:
        table.add_row(
            each.name + (" (shipped)" if each.name == found.shipped else ""),
            f"{each.accuracy:.3f} ± {each.accuracy_sd:.3f}", f"{each.macro_f1:.3f} ± {each.macro_f1_sd:.3f}",
            f"{each.above_linear:+.3f}", f"{each.worst} {each.worst_f1:.3f}",
        )  # fmt: skip
    out.print(table)
    shipped = next(each for each in found.contenders if each.name == found.shipped)
    confusion = Table(f"{found.shipped}: is, taken for", *found.topics, box=None)
    for topic, row in zip(found.topics, shipped.confusion, strict=True):
        confusion.add_row(topic, *map(str, row))
    out.print(confusion)


@lyrics.command()
def find(
    line: Annotated[str, typer.Argument(help="A line of the song, as it is sung.")],
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many songs.")] = 10,
    release: From = None,
    as_json: AsJson = False,
) -> None:
    """Find a song by a line of it.

    Example: `segue lyrics find "I heard it through the wall" --release ./my-release`
    """
    import sys

    import msgspec
    from rich.console import Console
    from rich.table import Table

    from models.lyrics.find import find as search
    from services.lyrics.judging import prove

    prove(("simplemma", "stop_words", "snowballstemmer", "inflect"))
    loaded, _ = _asked(release, None)
    found = search(loaded, line, top)
    if not found:
        typer.echo("no word of the line is in the songs of this release, common ones aside: nothing found", err=True)
    if as_json:
        document = {"release_id": loaded.id, "songs": [song._asdict() for song in found]}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return
    table = Table("#", "title", "artist", "likeness", box=None)
    for place, song in enumerate(found, 1):
        table.add_row(str(place), song.title, song.artist, f"{song.likeness:.2f}")
    Console(markup=False).print(table)


@lyrics.command("map")
def map_(
    out: Annotated[Path, typer.Argument(help="The SVG file to write.")],
    release: From = None,
) -> None:
    """Draw all songs with lyrics in two dimensions, coloured by their group and by their sentiment.

    Example: `segue lyrics map songs.svg --release ./my-release`
    """
    from models.release import BadRelease
    from services.cli.plots import prove_drawable
    from services.lyrics.drawing import map_of

    prove_drawable(out, "OUT")
    loaded, _ = _asked(release, None)
    if loaded.lyrics is None:
        raise BadRelease(f"release {loaded.id} has no lyrics part: train it with --lyrics")
    out.write_text(map_of(loaded.lyrics, loaded.manifest.metrics.get("lyrics", {})), encoding="utf-8")
    typer.echo(f"{out}: written")
