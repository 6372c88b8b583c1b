"""A listener's profile: what the profiler keeps in Redis, and its bytes.

The bytes are a header and then columns, each column contiguous, so a scorer reads them as numpy views. A profile that
is folded into has the same columns as arrays, and its latest plays as one number (models.plays), so encoding only
copies them (little-endian, as every machine is that numpy and faiss have wheels for). Every family is bounded
(models.taste.TasteSettings), so a profile has a byte cap.

A track is the first 40 bits of its key (models.ids.short), a play the place of its track among the profile's, the time
of a play counts ticks of 16 s, a weight has 16 bits and is as of the last step (18 hours) that began before its newest
event. While all that was ever heard stands among the latest plays and no track was loved, a profile is *whole*: what
plays tell (counts, in all, by track and by hour, and each track's last step) is neither kept nor written.

A profile is its *head*, which changes with every listen, and its *past*, which does not: once SEGMENT plays more than
`max_recent` are among the latest ones, the oldest SEGMENT become a segment of the past, 8 bytes a play: the first 32
bits of the track's key, and the time with its last bit saying whether it was played or skipped; and 4 bytes of a
checksum behind them. So a listen costs a head, however far a listener's past goes back. The whole bytes are head and
past, one after the other. What leaves the latest plays is noted in the head for good (models.met), 8 KB from the first
on.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from models.layout import (
    COUNTED,
    COUNTS,
    HEADER,
    HOURS,
    LARGE,
    LARGE_HEADER,
    MARKED,
    MARKS,
    MIXED,
    NOTED,
    PREFIX,
    SEGMENT,
    SEGMENT_BYTES,
    WIDE,
    BadProfile,
    Head,
    OtherFormat,
    sealed,
    segment,
)
from models.met import note, note_many
from models.plays import TICK_BITS, Column, Numbers, Plays
from models.tastes import STEP_BITS, Tastes
from models.view import ProfileView

__all__ = ["PREFIX", "SEGMENT", "BadProfile", "OtherFormat", "Profile", "ProfileView", "past_bytes"]

EVENT = 31  # bits of a key of 63 that an event's is kept without
FITS = frozenset(4**power for power in range(2, 16))  # plays: at so many the latest are packed anew


class Profile:
    """One listener's profile, as it is folded (models.taste.fold). Times are seconds since epoch."""

    __slots__ = (
        "_artists", "banned", "banned_artists", "by_hour", "events", "latest", "loved", "loved_artists", "met",
        "newest", "past", "seen", "totals", "tracks", "version", "whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = -1  # the last offset folded
        self.newest = 0  # event time of the newest listen
        self.whole = True
        self.totals = [0, 0]  # plays and skips in all, unless whole
        self.by_hour = array("H")  # plays by hour of day, UTC, unless whole
        self.tracks = Tastes.empty()  # counts, unless whole: plays, skips
        self._artists: Tastes | None = None  # where none is kept there is nothing to make
        self.latest = Plays()
        self.past = b""  # the segments at hand, oldest first: all of them, or those that are not stored yet
        self.met = bytearray()  # models.met: every track that left the latest plays; empty while none has
        self.events = array("I")
        self.seen: set[int] = set()  # the events, for look-up
        self.loved, self.banned = array("q"), array("q")  # the oldest mark is first, and forgotten first
        self.loved_artists, self.banned_artists = array("q"), array("q")

    @property
    def artists(self) -> Tastes:
        """Weights of artists, where they are kept."""
        if self._artists is None:
            self._artists = Tastes.empty()
        return self._artists

    @property
    def begins(self) -> bool:
        """Whether `past` is all that there ever was: whatever is stored under its name is of another profile."""
        return self.whole or sum(self.totals) - self.latest.count <= len(self.past) // SEGMENT_BYTES * SEGMENT

    def remember(self, event: int, most: int) -> bool:
        """Note the key of an event id; false when it is among the recent ones already.

        Of a key 32 bits are kept, so an event is taken for one of the last n by mistake once in 2³²/n.
        """
        event >>= EVENT
        events, seen = self.events, self.seen
        if event in seen:
            return False
        events.append(event)
        seen.add(event)
        while len(events) > most:
            seen.discard(events.pop(0))
        return True

    def forget_event(self, event: int) -> None:
        """Take an event id with this key for a new one: for those who doubt the guard."""
        self.seen.discard(event_key(event))

    def heard(self, place: int, second: int, played: bool) -> None:
        """Count a play or skip of the track at a place: for one that is not whole."""
        which = 0 if played else 1
        self.tracks.count(which, place)
        self.totals[which] += 1
        if not played:
            return
        by_hour, hour = self.by_hour, second // 3600 % HOURS
        if by_hour[hour] == 65_535:  # all are halved before one outgrows its 16 bits
            by_hour = self.by_hour = array("H", [count >> 1 for count in by_hour])
        by_hour[hour] += 1

    def play_recently(self, place: int, second: int, played: bool, most: int, past: int, noting: bool) -> None:
        """Put a play of the track at a place among the latest; the oldest go to the past of `past` plays.

        `noting`: what leaves the latest is noted as met.
        """
        latest = self.latest
        latest.put(place, second >> TICK_BITS, played)
        count = latest.count
        extra = count - most
        if extra <= 0:
            if count in FITS:
                latest.fit()
        elif extra < SEGMENT <= past:
            return
        elif past < SEGMENT:
            if self.whole:
                self.part()
            left = [latest.drop_oldest()]
            if extra > 1:
                left += latest.take_oldest(extra - 1).places.tolist()
            if noting:
                note(self.met, map(self.tracks.short_at, left))
        else:
            self.part()
            self._seal(past, noting)

    def part(self) -> None:
        """Be whole no more: what the latest plays told is counted from now on."""
        if self.whole:
            view = self.view()
            over = max(0, max(view.hours).bit_length() - 16)  # halvings, as in `heard`
            self.totals, self.by_hour = [view.plays, view.skips], array("H", [count >> over for count in view.hours])
            self.tracks.begin_counts((view.track_plays, view.track_skips))
            self.whole = False

    def _seal(self, past: int, noting: bool) -> None:
        """Make a segment of the oldest plays; one that comes later still, with an older time, stays behind it."""
        places, ticks, skipped = self.latest.take_oldest(SEGMENT)
        if noting:
            note_many(self.met, self.tracks.shorts_at(places))
        marked = ticks << TICK_BITS | 1 - skipped
        prefixes = np.frombuffer(self.tracks.tops, np.uint32)[places]
        self.past = (self.past + segment(prefixes, marked))[-past_bytes(past) :]

    def keep_tracks(self, places: NDArray[np.intp]) -> None:
        """Forget all tracks but these, given in rising order, among which all must be that were played lately."""
        moved: Numbers = np.full(len(self.tracks), -1, np.int64)
        moved[places] = np.arange(len(places))
        self.tracks.keep(places)
        self.latest.move(moved)

    def encode(self) -> bytes:
        """The profile's bytes, head and past: equal profiles give equal bytes."""
        return self.head() + self.past

    def head(self) -> bytes:
        """The bytes of all but the past."""
        tracks, latest, events = self.tracks, self.latest, self.events
        flags = MIXED if latest.mixed else 0
        extras = b""
        parts: list[bytes | bytearray | array[int]] = [tracks.tops, tracks.tails, tracks.weights]
        if not self.whole:
            flags |= COUNTED | (WIDE if tracks.counts[0].typecode == "H" else 0)
            extras = COUNTS.pack(*self.totals, *self.by_hour)
            parts += (tracks.lasts, *tracks.counts)
        parts += (latest.packed(), latest.gaps, events)
        if self.loved or self.banned or self.loved_artists or self.banned_artists or self._artists:
            flags |= MARKED
            marks = (self.loved, self.banned, self.loved_artists, self.banned_artists)
            artists = (self.artists.tops, self.artists.tails, self.artists.weights, self.artists.lasts)
            extras += MARKS.pack(len(self.artists), *map(len, marks))
            parts += (*artists, *marks)
        if self.met:
            flags |= NOTED
            parts.append(self.met)
        size, plays, gaps, remembered = len(tracks.tops), latest.count, len(latest.gaps), len(events)
        header = HEADER
        if size > 65_535 or plays > 65_535 or gaps > 65_535 or remembered > 255:
            flags |= LARGE
            header = LARGE_HEADER
        version = self.version + 1
        begin = header.pack(
            flags, latest.place_bits, latest.gap_bits, version >> 32, version & 0xFFFFFFFF, self.newest, latest.first,
            size, plays, gaps, remembered,
        )  # fmt: skip
        return sealed(b"".join((begin, extras, *parts)))

    @classmethod
    def decode(cls, data: bytes) -> "Profile":
        """From bytes. Raises BadProfile."""
        read = Head(data)
        places, ticks, _ = read.latest()
        if read.whole:
            steps: Column = np.zeros(read.track_count, np.uint16)
            steps[places] = ticks >> STEP_BITS - TICK_BITS
        else:
            steps = read.last_steps
        return cls.of(read, steps.tobytes(), int(ticks[-1]) if len(ticks) else 0)

    @classmethod
    def of(cls, read: Head, steps: bytes, last: int) -> "Profile":
        """From a head whose plays were looked at; `steps`: each track's last, 16 bits; `last`: tick of the newest."""
        profile = cls.__new__(cls)
        data, at, tracks = read.data, read.tracks_at, read.track_count
        profile.version, profile.newest, profile.whole = read.version, read.newest, read.whole
        profile.latest = Plays.read(data[read.plays_at : read.plays_at + read.shape.bytes], read.shape, last)
        profile.totals, profile.by_hour = [0, 0], array("H")
        tails, weights, behind = at + 4 * tracks, at + 5 * tracks, at + 7 * tracks
        profile.tracks = Tastes(
            array("I", data[at:tails]), array("B", data[tails:weights]), array("h", data[weights:behind]),
            array("H", steps), *map(_array, read.count_kinds, read.track_counts),
        )  # fmt: skip
        if not read.whole:
            *profile.totals, hours = read.counts()
            profile.by_hour = array("H", hours)
        profile.past = data[read.head_bytes :]
        profile.met = bytearray(read.met)
        profile.events = array("I", data[read.events_at : read.marks_at])
        profile.seen = set(profile.events)
        marks: list[array[int]] = [array("q"), array("q"), array("q"), array("q")]
        artists = read.artist_columns()
        profile._artists = Tastes(*map(_array, "IBhH", artists)) if artists else None  # noqa: SLF001  # its own
        if read.marks:
            marks = [_array("q", column) for column in read.marked()]
        profile.loved, profile.banned, profile.loved_artists, profile.banned_artists = marks
        return profile

    # What follows is for those who look; folding asks for none of it.

    def view(self) -> ProfileView:
        """Its head, to be read."""
        return ProfileView(self.head())

    @property
    def plays(self) -> int:
        """In all."""
        return self.view().plays

    @property
    def skips(self) -> int:
        """In all."""
        return self.view().skips

    @property
    def hours(self) -> list[int]:
        """Plays by hour of day, UTC."""
        return self.view().hours

    def by_track(self) -> dict[int, list[int]]:
        """[weight, its step (s), plays, skips] of each track by its short key."""
        view = self.view()
        columns = (view.weights, view.steps, view.track_plays, view.track_skips)
        return dict(zip(view.tracks.tolist(), np.stack(columns, 1).tolist(), strict=True))


def event_key(key: int) -> int:
    """What a profile keeps of the key of an event id: 32 bits."""
    return key >> EVENT


def past_bytes(plays: int) -> int:
    """The most bytes that a past of so many plays has: whole segments only."""
    return plays // SEGMENT * SEGMENT_BYTES


def _array(kind: str, column: Column) -> "array[int]":
    return array(kind, column.tobytes())
