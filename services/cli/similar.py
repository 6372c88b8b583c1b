"""`segue similar`: which tracks sound like this recording?"""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(similar)


def similar(
    file: Annotated[Path, typer.Argument(help="A recording: mp3, flac, wav, ogg …")],
    top: Annotated[int, typer.Option("-n", "--top", min=1, help="How many tracks.")] = 5,
    release: Annotated[
        Path | None, typer.Option(help="Ask this release folder (segue train --out), not the one in force.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Find the tracks that sound most like a recording; of a long one its middle 30 seconds are heard.

    Distance is 1 − cosine: 0 is the same, 1 has nothing in common. A recording that is in the catalogue finds itself.

    Example: `segue similar song.mp3 -n 5 --release ./my-release`
    """
    import sys
    import time

    import msgspec
    from rich.console import Console
    from rich.table import Table

    from models.audio.similar import Similar
    from services.cli import stream
    from services.cli.settings import client_settings

    folder = release or stream.release_folder(stream.current_release(client_settings().kafka))
    asked = Similar(folder)
    began = time.perf_counter()
    found = asked.near(file, top)
    seconds = time.perf_counter() - began
    if as_json:
        sys.stdout.write(msgspec.json.encode({"items": found, "seconds": round(seconds, 4)}).decode() + "\n")
        return
    table = Table("title", "artist", "genre", "distance", box=None)
    for each in found:
        table.add_row(each.title, each.artist, each.genre or "", f"{each.distance:.3f}")
    Console(markup=False).print(table)
