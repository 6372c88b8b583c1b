"""Events as columns, and as the messages they stand for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.events import Kind, Listen
from schemas.track import Track
from services.simulator.catalogue import Catalogue

Ints = NDArray[np.int64]

KINDS: tuple[Kind, ...] = ("play", "skip", "love", "ban")
PLAY, SKIP, LOVE, BAN = range(4)
SOURCE = "simulate"


@dataclass(frozen=True)
class Rows:
    """n events, one row each."""

    time_ms: Ints
    listener: Ints
    track: Ints
    kind: Ints  # a place in KINDS
    ms_played: Ints  # -1 for a love or a ban, which are not played
    organic: NDArray[np.bool_]  # False as well for a love or a ban, where it says nothing

    def __len__(self) -> int:
        """How many events."""
        return len(self.time_ms)

    def in_order(self) -> "Rows":
        """Sorted by time, then by listener."""
        order = np.lexsort((self.listener, self.time_ms))
        return Rows(*(getattr(self, name)[order] for name in COLUMNS))


COLUMNS = tuple(Rows.__dataclass_fields__)


def join(parts: list[Rows]) -> Rows:
    """One after another."""
    if not parts:
        empty = np.empty(0, np.int64)
        return Rows(empty, empty, empty, empty, empty, empty.astype(bool))
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS))


class Book:
    """What the numbers of listeners, tracks and events are called outside."""

    def __init__(self, catalogue: Catalogue, listeners: int, run: str) -> None:
        self.run = run  # tells this crowd's events from any other's
        self.users = [f"listener-{i:05d}" for i in range(listeners)]
        self.tracks = [f"track-{i:06d}" for i in range(catalogue.size)]
        self.artists = [catalogue.artists[i] for i in catalogue.artist_of.tolist()]
        self.durations: list[int] = catalogue.duration_ms.tolist()
        self.track_index = {name: i for i, name in enumerate(self.tracks)}
        self.user_index = {name: i for i, name in enumerate(self.users)}

    def listen(
        self, number: int, time_ms: int, listener: int, track: int, kind: int, ms_played: int, organic: bool
    ) -> Listen:
        """One event as the message it is."""
        played = kind <= SKIP
        return Listen(
            f"sim-{self.run}-{number:09d}",
            self.users[listener],
            self.tracks[track],
            time_ms,
            KINDS[kind],
            self.artists[track],
            ms_played if played else None,
            self.durations[track],
            "track",
            organic if played else None,
            None,
            SOURCE,
        )

    def listens(self, rows: Rows, first: int) -> Iterator[Listen]:
        """The messages of rows, the first of which is event number `first`. Never more than a block is held."""
        block = 65_536
        for low in range(0, len(rows), block):
            columns = [getattr(rows, name)[low : low + block].tolist() for name in COLUMNS]
            for number, row in enumerate(zip(*columns, strict=True), first + low):
                yield self.listen(number, *row)


def track_message(catalogue: Catalogue, book: Book, index: int, genre: str) -> Track:
    """One track of the catalogue as the message it is."""
    release = int(catalogue.release_of[index])
    return Track(
        track_id=book.tracks[index],
        title=catalogue.titles[index],
        artist=book.artists[index],
        release=catalogue.releases[release],
        year=int(catalogue.year[release]),
        duration_ms=book.durations[index],
        genre=genre,
    )
