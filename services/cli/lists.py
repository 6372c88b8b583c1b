"""How a list looks on a terminal."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from models.release import Release
from schemas.recommendation import Item, Recommendations
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


def why_silent(user: str, met: bool, release: Release) -> str:
    """Why a playlist by sound is empty; `met`: something was heard from the listener."""
    if release.sounds is None:
        return f"release {release.id} knows no recordings, so there is no playlist: segue train --audio (docs/audio.md)"
    why = f"none of what {user} plays was heard" if met else f"nothing is known of {user}"
    return f"{why}, so nothing sounds like it"


def show(
    console: Console, made: Recommendations, names: Names, most: int, mix: str | None = None, first: str | None = None
) -> None:
    """Print a list, best first, each track with its reason; see `of_mix`. Raises Fatal.

    `console`: without markup, for which it would take a part of "Song [live]".
    """
    console.print(table(made, names, most, mix, first))


def of_mix(made: Recommendations, mix: str | None, first: str | None = None) -> list[Item]:
    """The message's list of this mix, None: its first; `first`: of which mix that one is. Raises Fatal."""
    if mix is None or (mix == first and mix not in made.mixes):
        return made.items
    if mix not in made.mixes:
        there = ", ".join(made.mixes) or "none"
        main = f", which is {first}" if first else ""
        raise Fatal(f"list {made.list_id} has no mix {mix!r} beside the first{main}; it has {there} (SEGUE_LIST_MIXES)")
    return made.mixes[mix]


def table(made: Recommendations, names: Names, most: int, mix: str | None = None, first: str | None = None) -> Table:
    """A list as a table; see `of_mix`. Raises Fatal."""
    items = of_mix(made, mix, first)
    name = f"list {made.list_id}" + (f", {mix}" if mix else "")
    shown = Table(title=f"{made.user_id}: {name}", title_justify="left", box=None)
    shown.add_column("#", justify="right")
    for heading in ("title", "artist", "why", "source"):
        shown.add_column(heading, overflow="ellipsis", no_wrap=heading != "why")
    for place, item in enumerate(items[:most], 1):
        title, artist = names(item.track_id)
        shown.add_row(str(place), title, artist, item.reason, item.source)
    if made.mixes and mix is None:
        shown.caption, shown.caption_justify = f"beside it: {', '.join(made.mixes)} (--mix)", "left"
    return shown
