"""What the demo shows on a terminal while listens come in: figures, and one listener's list as it changes."""

import time

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.recommendation import Recommendations
from services.demo.seen import Seen

FOLLOW_S = 12.0  # then the next listener
ROWS = 12

Names = dict[str, tuple[str, str]]  # track_id -> title, artist


class View:
    """Renders `Seen`; one listener is followed at a time, whoever listens most just now."""

    def __init__(self, seen: Seen, names: Names, release: str | None, hint: str) -> None:
        """`release` None: that of the newest list."""
        self._seen, self._names = seen, names
        self._release, self._hint = release, hint
        self._followed: str | None = None
        self._since = 0.0
        self._start = time.perf_counter()

    def __rich__(self) -> Group:
        """The whole screen."""
        return Group(self._figures(), self._listener(), Text(self._hint, style="dim", overflow="fold"))

    def _figures(self) -> Panel:
        seen, spent = self._seen, time.perf_counter() - self._start
        fresh = seen.percentiles()
        row = Table.grid(padding=(0, 3))
        row.add_row(
            f"[b]{seen.listens:,}[/] listens ({seen.listens / max(spent, 0.001):.0f}/s)",
            f"[b]{seen.lists:,}[/] lists",
            "event → list  " + "  ".join(f"{name} [b]{value:.1f} ms[/]" for name, value in fresh.items()),
            f"next track in the top 20: [b]{seen.hit_rate() or 0:.1%}[/]",
            f"release [b]{self._release or self._newest_release()}[/]",
        )
        return Panel(row, title="Segue", title_align="left")

    def _newest_release(self) -> str:
        newest = next(reversed(self._seen.newest.values()), None)
        return "–" if newest is None else newest.release_id

    def _listener(self) -> Panel:
        user = self._choose()
        made = self._seen.newest.get(user) if user else None
        if user is None or made is None:
            return Panel("waiting for the first list …", title="a listener", title_align="left")
        just = [listen for listen in self._seen.recent if listen.user_id == user][-3:]
        played = " · ".join(f"{listen.kind} {self._name(listen.track_id)}" for listen in reversed(just))
        return Panel(Group(Text(f"just now: {played}", overflow="ellipsis", no_wrap=True), self._list(made)),
                     title=f"{user}", title_align="left")  # fmt: skip

    def _list(self, made: Recommendations) -> Table:
        table = Table(box=None, expand=True)
        table.add_column("#", justify="right", width=3)
        for heading in ("title", "artist", "why"):
            table.add_column(heading, ratio=1, no_wrap=True, overflow="ellipsis")
        for place, item in enumerate(made.items[:ROWS], 1):
            title, artist = self._names.get(item.track_id, (item.track_id, ""))
            table.add_row(str(place), *map(Text, (title, artist, item.reason)))  # "Song [live]" is no markup
        return table

    def _name(self, track_id: str) -> str:
        title, artist = self._names.get(track_id, (track_id, ""))
        return f"{title} – {artist}" if artist else title

    def _choose(self) -> str | None:
        now = time.perf_counter()
        if self._followed is None or now - self._since > FOLLOW_S:
            users = [listen.user_id for listen in self._seen.recent if listen.user_id in self._seen.newest][-200:]
            others = [user for user in users if user != self._followed] or users
            if others:
                self._followed = max(set(others), key=others.count)
                self._since = now
        return self._followed
