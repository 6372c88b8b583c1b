"""A listener's profile: what the profiler keeps in Redis, and its bytes.

The bytes are a header and then columns, each column contiguous, so a scorer reads them as numpy views without copying
and a profile of any size decodes in microseconds. A profile that is folded into has the same columns as arrays, so
encoding only copies them (little-endian, as every machine is that numpy and faiss have wheels for). Every family is
bounded (models.taste.TasteSettings), so a profile has a byte cap: 157 KB with the default bounds.

A profile is its *head*, which changes with every listen, and its *past*, which does not: once SEGMENT plays more than
`max_recent` are among the recent ones, the oldest SEGMENT become a segment of the past, 8 bytes a play: the first 32
bits of the track's key, and the time with its last bit saying whether it was played or skipped. So a listen costs a
head of 59 KB at most, however far a listener's past goes back. The whole bytes are head and past, one after the other.
The past is bounded, but what was sealed is noted in the head for good (models.met): 8 KB, from the first segment on.
"""

from array import array
from bisect import bisect_right
from struct import Struct as Packing

import numpy as np
from numpy.typing import NDArray

from models import met
from models.tastes import Tastes

MAGIC = b"SGP2"
MAGIC_MET = b"SGP3"  # the same, and the head ends with what was met
HOURS = 24
SEGMENT = 256  # plays
PREFIX = 31  # bits of a key of 63 that the past leaves out
_PLAY = 8  # bytes of one in the past

# magic, version, newest, plays, skips; lengths of tracks, artists, recent, events, loved, banned, and of artists both
_HEADER = Packing("<4sqqQQ8I")


class BadProfile(ValueError):
    """Bytes that are no profile, or one of a format that this version does not know."""


class Profile:
    """One listener's profile, as it is folded (models.taste.fold). Times are seconds since epoch, keys models.ids.

    `recent`, `recent_times`, `recent_played` are parallel, oldest first.
    """

    __slots__ = (
        "artists", "banned", "banned_artists", "events", "hours", "loved", "loved_artists", "met", "newest", "past",
        "plays", "recent", "recent_played", "recent_times", "seen", "skips", "tracks", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = -1  # the last offset folded
        self.newest = 0  # event time of the newest listen
        self.plays = 0
        self.skips = 0
        self.tracks = Tastes(array("q"), array("i"), array("I"), array("H"), array("H"))  # counts: plays, skips
        self.artists = Tastes(array("q"), array("i"), array("I"))
        self.recent, self.recent_times, self.recent_played = array("q"), array("I"), array("B")
        self.past = b""  # the segments at hand, oldest first: all of them, or those that are not stored yet
        self.met = bytearray()  # models.met: every track that left the recent ones; empty while none has
        self.events = array("q")
        self.seen: set[int] = set()  # the events, for look-up
        self.loved, self.banned = array("q"), array("q")  # the oldest mark is first, and forgotten first
        self.loved_artists, self.banned_artists = array("q"), array("q")
        self.hours = array("H", bytes(2 * HOURS))  # plays by hour of day, UTC

    @property
    def begins(self) -> bool:
        """Whether `past` is all that there ever was: whatever is stored under its name is of another profile."""
        return self.plays + self.skips - len(self.recent) <= len(self.past) // _PLAY

    def remember(self, event: int, most: int) -> bool:
        """Note an event id; false when it is among the recent ones already."""
        if event in self.seen:
            return False
        self.events.append(event)
        self.seen.add(event)
        while len(self.events) > most:
            self.seen.discard(self.events.pop(0))
        return True

    def heard_at_hour(self, hour: int) -> None:
        """Count a play in its hour; all are halved before one outgrows its 16 bits."""
        if self.hours[hour] < 65_535:
            self.hours[hour] += 1
        else:
            self.hours = array("H", [count >> 1 for count in self.hours])
            self.hours[hour] += 1  # (65,535 + 1) / 2

    def play_recently(self, track: int, second: int, played: bool, most: int, past: int) -> None:
        """Put a play among the recent ones, where its time belongs; the oldest go to the past of `past` plays."""
        times = self.recent_times
        place = len(times) if not times or second >= times[-1] else bisect_right(times, second)
        self.recent.insert(place, track)
        times.insert(place, second)
        self.recent_played.insert(place, played)
        extra = len(times) - most
        if past < SEGMENT and extra > 0:
            met.note(self.met, self.recent[:extra])
            del self.recent[:extra], times[:extra], self.recent_played[:extra]
        elif past >= SEGMENT and extra >= SEGMENT:
            self._seal(past)

    def _seal(self, past: int) -> None:
        """Make a segment of the oldest plays; one that comes later still, with an older time, stays behind it."""
        keys, times, played = self.recent[:SEGMENT], self.recent_times[:SEGMENT], self.recent_played[:SEGMENT]
        met.note(self.met, keys)
        prefixes = (np.frombuffer(keys, np.int64) >> PREFIX).astype("<u4")
        marked = np.frombuffer(times, np.uint32) & ~np.uint32(1) | np.frombuffer(played, np.uint8)
        self.past = (self.past + prefixes.tobytes() + marked.astype("<u4").tobytes())[-past_bytes(past) :]
        del self.recent[:SEGMENT], self.recent_times[:SEGMENT], self.recent_played[:SEGMENT]

    def encode(self) -> bytes:
        """The profile's bytes, head and past: equal profiles give equal bytes."""
        return self.head() + self.past

    def head(self) -> bytes:
        """The bytes of all but the past."""
        tracks, artists = self.tracks, self.artists
        plays, skips = tracks.counts
        magic = MAGIC_MET if self.met else MAGIC
        keys = (
            tracks.ids, artists.ids, self.recent, self.events,
            self.loved, self.banned, self.loved_artists, self.banned_artists,
        )  # fmt: skip
        return b"".join(
            (
                _HEADER.pack(magic, self.version, self.newest, self.plays, self.skips, *map(len, keys)),
                *keys,
                tracks.weights,
                tracks.lasts,
                artists.weights,
                artists.lasts,
                self.recent_times,
                plays,
                skips,
                self.hours,
                self.recent_played,
                self.met,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Profile":
        """From bytes. Raises BadProfile."""
        view = ProfileView(data)
        profile = cls.__new__(cls)
        profile.version, profile.newest = view.version, view.newest
        profile.plays, profile.skips = view.plays, view.skips
        counts = _array(view.track_plays), _array(view.track_skips)
        profile.tracks = Tastes(_array(view.tracks), _array(view.weights), _array(view.lasts), *counts)
        profile.artists = Tastes(_array(view.artists), _array(view.artist_weights), _array(view.artist_lasts))
        profile.recent, profile.recent_times = _array(view.recent), _array(view.recent_times)
        profile.recent_played = _array(view.recent_played)
        profile.past = data[view.head_bytes :]
        profile.met = bytearray(view.met)
        profile.events = _array(view.events)
        profile.seen = set(profile.events)
        profile.loved, profile.banned = _array(view.loved), _array(view.banned)
        profile.loved_artists, profile.banned_artists = _array(view.loved_artists), _array(view.banned_artists)
        profile.hours = _array(view.hours)
        return profile


def past_bytes(plays: int) -> int:
    """The most bytes that a past of so many plays has: whole segments only."""
    return plays // SEGMENT * SEGMENT * _PLAY


def _array(column: "NDArray[np.int64]") -> "array[int]":
    return array(_TYPECODES[column.dtype.str], column.tobytes())


_TYPECODES = {"<i8": "q", "<i4": "i", "<u4": "I", "<u2": "H", "|u1": "B"}


class ProfileView:
    """A profile's bytes as read-only numpy columns: what a scorer reads. Raises BadProfile.

    `tracks`, `weights`, `lasts`, `track_plays`, `track_skips` are parallel, as are `artists`, `artist_weights`,
    `artist_lasts`, and `recent`, `recent_times`, `recent_played` (oldest first), and before them `past` (the first 32
    bits of keys), `past_times` (to two seconds), `past_played`. `met`: models.met. Weights: UNIT to a play.
    """

    __slots__ = (
        "artist_lasts", "artist_weights", "artists", "banned", "banned_artists", "events", "head_bytes", "hours",
        "lasts", "loved", "loved_artists", "met", "newest", "past", "past_played", "past_times", "plays", "recent",
        "recent_played", "recent_times", "skips", "track_plays", "track_skips", "tracks", "version", "weights",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size or data[:4] not in (MAGIC, MAGIC_MET):
            raise BadProfile(f"not a profile of format {MAGIC.decode()} or {MAGIC_MET.decode()}: {len(data)} bytes")
        _, self.version, self.newest, self.plays, self.skips, *lengths = _HEADER.unpack_from(data)
        tracks, artists, recent, events, *marks = lengths
        noted = met.BYTES if data[:4] == MAGIC_MET else 0
        size = _HEADER.size + 8 * sum(lengths) + 12 * tracks + 8 * artists + 5 * recent + 2 * HOURS + noted
        if len(data) < size or (len(data) - size) % (SEGMENT * _PLAY):
            raise BadProfile(f"a profile of {len(data)} bytes whose header says {size}, and then whole segments")
        self.head_bytes = size
        at = _HEADER.size

        def take(kind: str, count: int) -> NDArray[np.int64]:
            nonlocal at
            column = np.frombuffer(data, kind, count, at)
            at += column.nbytes
            return column

        self.tracks, self.artists = take("<i8", tracks), take("<i8", artists)
        self.recent, self.events = take("<i8", recent), take("<i8", events)
        self.loved, self.banned, self.loved_artists, self.banned_artists = (take("<i8", n) for n in marks)
        self.weights, self.lasts = take("<i4", tracks), take("<u4", tracks)
        self.artist_weights, self.artist_lasts = take("<i4", artists), take("<u4", artists)
        self.recent_times = take("<u4", recent)
        self.track_plays, self.track_skips = take("<u2", tracks), take("<u2", tracks)
        self.hours = take("<u2", HOURS)
        self.recent_played = take("u1", recent)
        self.met: NDArray[np.uint8] = take("u1", noted).view(np.uint8)
        segments = take("<u4", (len(data) - size) // 4).reshape(-1, 2, SEGMENT)
        self.past, marked = segments[:, 0].ravel(), segments[:, 1].ravel()
        self.past_times, self.past_played = marked & ~np.uint32(1), (marked & np.uint32(1)).astype(np.uint8)
