"""`segue playlist`: new tracks that sound like what a listener plays most, to look at or for a player."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(playlist)


def playlist(
    user: Annotated[str, typer.Argument(help="The listener's id.")],
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many tracks.")] = 20,
    release: Annotated[Path | None, typer.Option(help="Answer from this release folder (segue train --out).")] = None,
    save: Annotated[Path | None, typer.Option(help="Write it for players: .m3u8, .xspf or .jspf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Make a playlist by sound: like the five tracks that the listener plays most, all new to them.

    The same as a list of the mix `playlist` on `recommendations` (SEGUE_LIST_MIX=playlist).

    Example: `segue playlist ann --save for-ann.m3u8`, or without a broker: `segue playlist ann --release ./my-release`
    """
    import os
    import sys

    import msgspec
    from rich.console import Console

    from models.recommender import Recommender
    from models.release import load
    from schemas.codec import encode
    from services.cli import lists, players, stream
    from services.cli.settings import ListOnly, client_settings
    from services.runtime.errors import Fatal
    from services.runtime.settings import load as load_settings
    from services.scorer.lists import answer
    from services.trainer.offline import profile_of

    writer = players.writer_of(save) if save else None
    settings = msgspec.structs.replace(load_settings(ListOnly, os.environ).list, mix="playlist", mixes="")
    if release is not None:
        loaded, partition, profile = load(release), 0, profile_of(release, user)
    else:
        servers = client_settings()
        loaded = stream.load_release(stream.current_release(servers.kafka))
        partition, profile = stream.stored_profile(servers.kafka, servers.redis, user)
    if loaded.sounds is None:
        raise Fatal(f"release {loaded.id} knows no sounds; train it on tracks with audio (docs/audio.md)")
    made = answer(user, profile, Recommender(loaded, settings), top, stream.now_ms(), partition)
    if save and writer and made.items:
        entries = players.entries(made.items, loaded.catalogue, loaded.sounds.recordings())
        save.write_text(writer(f"By sound, for {user}", entries), encoding="utf-8")
        typer.echo(f"{save}: {len(entries)} tracks", err=True)
    if as_json:
        sys.stdout.write(encode(made).decode() + "\n")
    elif not save:
        lists.show(Console(markup=False), made, lists.names_of(loaded), top)
    if not made.items:
        why = lists.why_silent(user, profile is not None, loaded)
        typer.echo(why + (f"; {save} is not written" if save else ""), err=True)
