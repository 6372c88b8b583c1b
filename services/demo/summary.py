"""What the demo measured: one object for machines, a few lines for people."""

from pathlib import Path
from sys import prefix

from msgspec import Struct
from rich.console import Console
from rich.table import Table

INSTALL_SECONDS = ".install_seconds"  # left in the virtual environment by `make`


class Summary(Struct):
    """The demo's figures. Seconds are wall time; `seconds.live_list`: from the command to the first live list."""

    listens: int  # sent live
    lists: int  # read from `recommendations`
    listeners: int  # who have a list
    dead: int  # dead letters
    release: str
    seconds: dict[str, float]
    latency_ms: dict[str, float]  # listen acknowledged to its list read
    hit_rate_at_20: float | None  # live plays whose track was in the list that stood before
    imported: int  # listens of the history
    tracks: int
    bad: int  # lines of the files that were no listens
    unanswered: int  # live listens whose list had not come 5 s after the last


def install_seconds() -> dict[str, float]:
    """How long `make` took to install everything; empty when somebody else did."""
    try:
        return {"install": float((Path(prefix) / INSTALL_SECONDS).read_text())}
    except (OSError, ValueError):
        return {}


def show(console: Console, made: Summary) -> None:
    """A few lines for people."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    steps = ", ".join(f"{name.replace('_', ' ')} {value:.1f} s" for name, value in made.seconds.items())
    fresh = "   ".join(f"{name} {value:.1f} ms" for name, value in made.latency_ms.items()) or "no list came"
    hits = "–" if made.hit_rate_at_20 is None else f"{made.hit_rate_at_20:.1%}"
    table.add_row("history", f"{made.imported:,} listens of {made.tracks:,} tracks imported")
    table.add_row("release", made.release)
    table.add_row("live", f"{made.listens:,} listens, {made.lists:,} lists for {made.listeners:,} listeners, "
                  f"{made.dead} dead letters, {made.unanswered} without a list")  # fmt: skip
    table.add_row("event → list", fresh)
    table.add_row("hit rate at 20", f"{hits} of live plays were in the list that stood before them")
    table.add_row("took", steps)
    console.print(table)
