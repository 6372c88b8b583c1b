"""The crowd: made from a seed, it first lives through a history in bulk and then goes on live."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.json import encode
from msgspec.structs import replace
from numpy.typing import NDArray

from models.ids import key_of
from schemas.events import Listen
from schemas.track import Track
from services.simulator.bulk import play_day
from services.simulator.catalogue import make_catalogue
from services.simulator.charts import charts_of
from services.simulator.habits import make_habits
from services.simulator.memory import make_memory
from services.simulator.plan import Plan, make_plan
from services.simulator.rows import Book, Rows, join, track_message
from services.simulator.settings import DAY_MS, CrowdSettings
from services.simulator.tastes import affinity, make_tastes
from services.simulator.turns import Event, ListOf, Lists, play_turns
from services.simulator.words import GENRES
from services.simulator.world import World


@dataclass(frozen=True)
class History:
    """Days that a crowd has lived through, as columns; see frames.py for a polars frame."""

    rows: Rows  # in order of time
    first: int  # the number of the first event
    book: Book
    releases: list[tuple[int, list[Track]]]  # (place in rows, tracks that came out just before it)

    def __len__(self) -> int:
        """How many events."""
        return len(self.rows)

    def listens(self) -> Iterator[Listen]:
        """The events as messages, in order of time."""
        return self.book.listens(self.rows, self.first)

    def messages(self) -> Iterator[Listen | Track]:
        """Tracks, each before its first listen, and listens, in order of time."""
        coming = iter(self.releases)
        place, tracks = next(coming, (-1, []))
        for i, listen in enumerate(self.listens()):
            while place == i:
                yield from tracks
                place, tracks = next(coming, (-1, []))
            yield listen
        while place >= 0:
            yield from tracks
            place, tracks = next(coming, (-1, []))


@dataclass(frozen=True)
class Truth:
    """What a listener truly likes of what is out, best first."""

    user_id: str
    track_ids: list[str]
    affinity: NDArray[np.float64]


class Crowd:
    """A simulated crowd and its catalogue; made by `make_crowd`. Not safe for threads.

    The same settings and the same state of the generator give the same events, byte for byte, however the time is cut
    into history and live. `history` and `live` move the crowd forward; a live iterator that is left alone in the
    middle of a day takes the rest of that day with it.
    """

    def __init__(self, world: World, book: Book, rng: np.random.Generator) -> None:
        self._world = world
        self._rng = rng
        self._day = 0  # the next one
        self._events = 0
        self.book = book

    @property
    def now_ms(self) -> int:
        """When the next day begins, ms since epoch."""
        return self._world.settings.first_day_ms + self._day * DAY_MS

    @property
    def user_ids(self) -> list[str]:
        """All listeners, by index."""
        return self.book.users

    @property
    def track_ids(self) -> list[str]:
        """All tracks, those still to come included, by index."""
        return self.book.tracks

    def sounds(self) -> NDArray[np.float32]:
        """What all tracks sound like: their places in the space of tastes (space.py), by index. (T, D)."""
        return self._world.catalogue.vectors

    def out(self) -> NDArray[np.int64]:
        """The indexes of the tracks that are out when the next day begins; before the first: those of old."""
        return np.flatnonzero(self._world.catalogue.day_out <= max(0, self._day - 1))

    def tracks(self) -> list[Track]:
        """The catalogue so far: the tracks that `out` names."""
        return self._messages(self.out())

    def history(self, days: int, on_day: Callable[[int], None] | None = None) -> History:
        """Live through whole days at once. `on_day(days done)` is called after each, for a progress bar."""
        if days < 0:
            raise ValueError(f"history(days={days}): give 0 or more whole days")
        parts: list[Rows] = []
        releases: list[tuple[int, list[Track]]] = []
        place, first = 0, self._events
        for done in range(1, days + 1):
            plan, new = self._next_day()
            rows = play_day(self._world, plan)
            releases.append((place, new))
            parts.append(rows)
            place += len(rows)
            if on_day is not None:
                on_day(done)
        self._events += place
        return History(join(parts), first, self.book, releases)

    def live(
        self,
        lists: Lists | None = None,
        *,
        start_ms: int | None = None,
        clock: Callable[[], int] | None = None,
    ) -> Iterator[Listen]:
        """Go on from where the crowd is, event by event, without end; the caller paces it.

        lists: with a chance of `list_share` a listener takes the next track from the current list.
        start_ms: what `now_ms` is to be called; all times are moved alike (and the hours of the day with them).
        clock: gives the time of each event instead, ms since epoch, when it is asked for.
        """
        return (
            message for message in self.stream(lists, start_ms=start_ms, clock=clock) if isinstance(message, Listen)
        )

    def stream(
        self,
        lists: Lists | None = None,
        *,
        start_ms: int | None = None,
        clock: Callable[[], int] | None = None,
    ) -> Iterator[Listen | Track]:
        """As `live`, with the tracks that come out, at the beginning of their day."""
        shift = 0 if start_ms is None else start_ms - self.now_ms
        while True:
            plan, new = self._next_day()
            yield from new
            for event in play_turns(self._world, plan, self._list_of(lists)):
                listen = self._listen(event, shift)
                yield listen if clock is None else replace(listen, listened_at=clock())

    def part_ways(self, rng: np.random.Generator) -> None:
        """From the next day on draw from `rng`: the same listeners with the same past, but other days to come."""
        self._rng = rng

    def affinity(self, user_index: int, track_index: NDArray[np.integer]) -> NDArray[np.float64]:
        """How much a listener truly likes tracks, now; comparable within one listener. (n,)."""
        world = self._world
        return affinity(world.tastes, world.catalogue, world.settings.taste_pull, user_index, track_index)

    def truth(self, user_id: str) -> Truth:
        """Everything that is out, in the order in which a listener truly likes it now. Raises KeyError: no such one."""
        out = self.out()
        liked = self.affinity(self.book.user_index[user_id], out)
        order = np.argsort(-liked, kind="stable")
        return Truth(user_id, [self.book.tracks[i] for i in out[order].tolist()], liked[order])

    def _next_day(self) -> tuple[Plan, list[Track]]:
        world, day = self._world, self._day
        world.charts = charts_of(world.catalogue, day, world.settings.growth_days)
        world.tastes.turn(world.settings, world.catalogue, world.charts, self._rng)
        plan = make_plan(world.settings, world.habits, world.tastes, day, self._rng)
        self._day += 1
        day_out = world.catalogue.day_out
        return plan, self._messages(np.flatnonzero(day_out == day if day else day_out <= 0))

    def _messages(self, tracks: NDArray[np.int64]) -> list[Track]:
        catalogue = self._world.catalogue
        genres = catalogue.genre_of[catalogue.artist_of[tracks]].tolist()
        return [
            track_message(catalogue, self.book, track, GENRES[genre].name)
            for track, genre in zip(tracks.tolist(), genres, strict=True)
        ]

    def _listen(self, event: Event, shift: int) -> Listen:
        listen = self.book.listen(self._events, *event[:-1])
        self._events += 1
        if not shift and event.list_id is None:
            return listen
        return replace(listen, listened_at=listen.listened_at + shift, list_id=event.list_id)

    def _list_of(self, lists: Lists | None) -> ListOf | None:
        if lists is None:
            return None

        def list_of(listener: int) -> tuple[str, Sequence[int]] | None:
            offer = lists(self.book.users[listener])
            if offer is None:
                return None
            known = (self.book.track_index.get(track_id) for track_id in offer.track_ids)
            return offer.list_id, [track for track in known if track is not None]

        return list_of


def make_crowd(settings: CrowdSettings, rng: np.random.Generator) -> Crowd:
    """A crowd that has not heard anything yet, all of its randomness from `rng`, which is then its own."""
    # Names the run in its event ids: a second crowd must not look like a repetition of the first one's events.
    run = f"{key_of(f'{int(rng.integers(2**62))} {encode(settings).decode()}') & 0xFFFFFFFF:08x}"
    catalogue = make_catalogue(settings, rng)
    charts = charts_of(catalogue, 0, settings.growth_days)
    world = World(
        settings=settings,
        catalogue=catalogue,
        habits=make_habits(settings, rng),
        tastes=make_tastes(settings, catalogue, charts, rng),
        memory=make_memory(settings, catalogue.size),
        charts=charts,
    )
    return Crowd(world, Book(catalogue, settings.listeners, run), rng)
