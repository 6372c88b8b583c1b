"""How a list looks on a terminal."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from models.release import Release
from schemas.recommendation import Recommendations
from services.runtime.errors import Fatal

Names = Callable[[str], tuple[str, str]]  # track_id -> title, artist


def names_of(release: Release | None) -> Names:
    """Titles and artists from a release's catalogue; without one the id stands for the title."""
    rows = {track: row for row, track in enumerate(release.catalogue.track_ids)} if release else {}

    def name(track_id: str) -> tuple[str, str]:
        row = rows.get(track_id)
        if release is None or row is None:
            return track_id, ""
        return release.catalogue.titles[row], release.catalogue.artists[row]

    return name


def show(console: Console, made: Recommendations, names: Names, most: int, mix: str | None = None) -> None:
    """Print a list, best first, each track with its reason; `mix`: of those beside the first, this. Raises Fatal."""
    console.print(table(made, names, most, mix))


def table(made: Recommendations, names: Names, most: int, mix: str | None = None) -> Table:
    """A list as a table. Raises Fatal when it is of a mix that the message does not have."""
    if mix is not None and mix not in made.mixes:
        there = ", ".join(made.mixes) or "none"
        raise Fatal(f"list {made.list_id} has no mix {mix!r} beside the first; it has {there} (SEGUE_LIST_MIXES)")
    name = f"list {made.list_id}" + (f", {mix}" if mix else "")
    shown = Table(title=f"{made.user_id}: {name}", title_justify="left", box=None)
    shown.add_column("#", justify="right")
    for heading in ("title", "artist", "why", "source"):
        shown.add_column(heading, overflow="ellipsis", no_wrap=heading != "why")
    for place, item in enumerate((made.mixes[mix] if mix else made.items)[:most], 1):
        title, artist = names(item.track_id)
        shown.add_row(str(place), title, artist, item.reason, item.source)
    return shown
