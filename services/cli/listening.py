"""`segue listen | watch | recommend`: be one listener of the running stream."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.sources.settings import Mix
from schemas.events import Kind

if TYPE_CHECKING:
    from models.release import Release
    from services.runtime.settings import KafkaSettings

User = Annotated[str, typer.Argument(help="The listener's id.")]
Top = Annotated[int, typer.Option("-n", "--top", min=1, help="How many tracks to show.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (listen, watch, recommend):
        app.command()(command)


def listen(
    user: User,
    track: Annotated[str, typer.Argument(help="The track's id.")],
    kind: Annotated[Kind, typer.Option(help="What the listener did.")] = "play",
    artist: Annotated[str | None, typer.Option(help="The track's artist.")] = None,
    scope: Annotated[Literal["track", "artist"], typer.Option(help="What a love or ban is about.")] = "track",
    ms_played: Annotated[int | None, typer.Option(min=0, help="How long it was played; absent: to the end.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the list that this listen leads to.")] = True,
    top: Top = 10,
) -> None:
    """Send one listen and show the list it leads to. Success is the broker's word, not ours.

    Example: `segue listen ann "track-17" --kind love`
    """
    import time

    from rich.console import Console

    from schemas.codec import decode, encode
    from schemas.events import Listen
    from services.cli import lists, stream
    from services.cli.settings import client_settings

    if scope == "artist" and artist is None:
        raise typer.BadParameter("name the artist that this is about", param_hint="--artist")
    kafka = client_settings().kafka
    event = {
        "event_id": stream.event_id(), "user_id": user, "track_id": track, "listened_at": stream.now_ms(),
        "kind": kind, "artist": artist, "scope": scope, "ms_played": ms_played, "source": "segue listen",
    }  # fmt: skip
    console = Console(markup=False)
    checked = decode(Listen, encode({name: value for name, value in event.items() if value is not None}))
    with stream.Lists(kafka, user) as coming:
        if wait:
            coming.newest()  # only to stand behind it
        partition, offset = stream.send(kafka, checked)
        sent = time.perf_counter()
        console.print(f"acknowledged: {user} on listens-{partition} at offset {offset}", highlight=False)
        if not wait:
            return
        for made in coming.follow(10):
            if made.profile_version >= offset:
                console.print(f"its list came after {1000 * (time.perf_counter() - sent):.1f} ms", highlight=False)
                lists.show(console, made, lists.names_of(_release(kafka)), top)
                return
    typer.echo("no list came within 10 s; are `segue profiler` and `segue scorer` running? try `segue check`", err=True)
    raise typer.Exit(1)


def watch(
    user: User,
    top: Top = 10,
    for_: Annotated[str | None, typer.Option("--for", help="Seconds, or 5m; else until Ctrl-C.")] = None,
    mix: Annotated[
        Mix | None, typer.Option(help="Of the lists in one message this; the first is of SEGUE_LIST_MIX.")
    ] = None,
) -> None:
    """Show a listener's list, and each new one as it comes, until Ctrl-C.

    Example: `segue watch ann -n 20`
    """
    from rich.console import Console

    from services.cli import lists, stream
    from services.cli.settings import client_settings, first_mixes
    from services.cli.times import parse_seconds

    seconds = parse_seconds(for_) if for_ else None
    first = first_mixes() if mix else {}
    kafka = client_settings().kafka
    console, names = Console(markup=False), lists.names_of(_release(kafka))
    with stream.Lists(kafka, user) as coming:
        made = coming.newest()
        if made is None:
            console.print(f"no list for {user} yet; waiting for one (send a listen: segue listen {user} TRACK)")
        else:
            lists.show(console, made, names, top, mix, first.get(made.variant))
        for made in coming.follow(seconds):
            console.print(f"\nnew list, {made.made_at - made.produced_at} ms after its listen:", highlight=False)
            lists.show(console, made, names, top, mix, first.get(made.variant))


def recommend(
    user: User,
    release: Annotated[Path | None, typer.Option(help="Answer from this release folder (segue train --out).")] = None,
    top: Top = 10,
    mix: Annotated[
        Mix | None, typer.Option(help="The list of this mix: of SEGUE_LIST_MIXES where it stands there, else alone.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Make one list now, from the listener's profile and the release in force; a stranger gets what is popular.

    With SEGUE_LIST_MIXES the JSON has the lists beside it too, as a scorer would send them.

    Example: `segue recommend ann`, or without a broker: `segue recommend ann --release ./my-release`
    """
    import os
    import sys

    from msgspec.structs import replace
    from rich.console import Console

    from models.recommender import Recommender
    from models.release import load
    from models.sources.settings import ListSettings
    from schemas.codec import encode
    from services.cli import lists, stream
    from services.cli.settings import ListOnly, client_settings
    from services.runtime.settings import load as load_settings
    from services.scorer.lists import answer
    from services.trainer.offline import profile_of

    settings: ListSettings = load_settings(ListOnly, os.environ).list
    if mix is not None and mix not in (settings.mix, *settings.more()):
        settings = replace(settings, mix=mix, mixes="")
    if release is not None:
        loaded, partition, profile = load(release), 0, profile_of(release, user)
    else:
        servers = client_settings()
        loaded = stream.load_release(stream.current_release(servers.kafka))
        partition, profile = stream.stored_profile(servers.kafka, servers.redis, user)
    made = answer(user, profile, Recommender(loaded, settings), top, stream.now_ms(), partition)
    if mix is not None:
        made = replace(made, items=lists.of_mix(made, mix, settings.mix), mixes={})
    if (mix or settings.mix) == "playlist" and not made.items:
        typer.echo(lists.why_silent(user, profile is not None, loaded), err=True)
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")
        return
    if profile is None:
        typer.echo(f"{user} is a stranger: nothing was heard from them yet", err=True)
    lists.show(Console(markup=False), made, lists.names_of(loaded), top, mix, mix)


def _release(kafka: "KafkaSettings") -> "Release | None":
    """For the titles only: without one, ids are shown."""
    from models.release import BadRelease
    from services.cli import stream
    from services.runtime.errors import Fatal

    try:
        return stream.load_release(stream.current_release(kafka))
    except (Fatal, BadRelease, OSError):
        return None
