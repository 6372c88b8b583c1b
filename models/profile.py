"""A listener's profile: what the profiler keeps in Redis, and its bytes.

The bytes are a header and then columns, each column contiguous, so a scorer reads them as numpy views without copying
and a profile of any size decodes in microseconds. Every family is bounded (models.taste.TasteSettings), so a profile
has a byte cap: 45 KB with the default bounds.
"""

from bisect import bisect_right
from collections import deque
from struct import Struct as Packing

import numpy as np
from numpy.typing import NDArray

MAGIC = b"SGP1"
HOURS = 24

TrackTaste = list[int]  # [weight, last played (s), plays, skips]
ArtistTaste = list[int]  # [weight, last played (s)]

# magic, version, newest, plays, skips; lengths of tracks, artists, recent, events, loved, banned, and of artists both
_HEADER = Packing("<4sqqQQ8I")


class BadProfile(ValueError):
    """Bytes that are no profile, or one of a format that this version does not know."""


class Profile:
    """One listener's profile, as it is folded (models.taste.fold). Times are seconds since epoch, keys models.ids."""

    __slots__ = (
        "artists", "banned", "banned_artists", "events", "hours", "loved", "loved_artists", "newest", "plays",
        "recent", "seen", "skips", "tracks", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = -1  # the last offset folded
        self.newest = 0  # event time of the newest listen
        self.plays = 0
        self.skips = 0
        self.tracks: dict[int, TrackTaste] = {}
        self.artists: dict[int, ArtistTaste] = {}
        self.recent: deque[tuple[int, int, bool]] = deque()  # (time, track, played), oldest first
        self.events: deque[int] = deque()
        self.seen: set[int] = set()  # the events, for look-up
        self.loved: dict[int, None] = {}  # dicts for their order: the oldest mark is forgotten first
        self.banned: dict[int, None] = {}
        self.loved_artists: dict[int, None] = {}
        self.banned_artists: dict[int, None] = {}
        self.hours = [0] * HOURS  # plays by hour of day, UTC

    def remember(self, event: int, most: int) -> bool:
        """Note an event id; false when it is among the recent ones already."""
        if event in self.seen:
            return False
        self.events.append(event)
        self.seen.add(event)
        while len(self.events) > most:
            self.seen.discard(self.events.popleft())
        return True

    def heard_at_hour(self, hour: int) -> None:
        """Count a play in its hour; all are halved before one outgrows its 16 bits."""
        self.hours[hour] += 1
        if self.hours[hour] > 65_535:
            self.hours = [count >> 1 for count in self.hours]

    def play_recently(self, track: int, second: int, played: bool, most: int) -> None:
        """Put a play among the recent ones, where its time belongs; the oldest goes."""
        if not self.recent or second >= self.recent[-1][0]:
            self.recent.append((second, track, played))
        else:
            self.recent.insert(bisect_right(self.recent, second, key=lambda play: play[0]), (second, track, played))
        while len(self.recent) > most:
            self.recent.popleft()

    def encode(self) -> bytes:
        """The profile's bytes: equal profiles give equal bytes."""
        tracks = np.array(list(self.tracks.values()), dtype=np.int64).reshape(-1, 4)
        artists = np.array(list(self.artists.values()), dtype=np.int64).reshape(-1, 2)
        marks = (self.loved, self.banned, self.loved_artists, self.banned_artists)
        lengths = (len(tracks), len(artists), len(self.recent), len(self.events), *map(len, marks))
        return b"".join(
            (
                _HEADER.pack(MAGIC, self.version, self.newest, self.plays, self.skips, *lengths),
                _column(self.tracks, "<i8"),
                _column(self.artists, "<i8"),
                _column([track for _, track, _ in self.recent], "<i8"),
                _column(self.events, "<i8"),
                *(_column(mark, "<i8") for mark in marks),
                _column(tracks[:, 0], "<i4"),
                _column(tracks[:, 1], "<u4"),
                _column(artists[:, 0], "<i4"),
                _column(artists[:, 1], "<u4"),
                _column([second for second, _, _ in self.recent], "<u4"),
                _column(tracks[:, 2], "<u2"),
                _column(tracks[:, 3], "<u2"),
                _column(self.hours, "<u2"),
                _column([played for _, _, played in self.recent], "u1"),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Profile":
        """From bytes. Raises BadProfile."""
        view = ProfileView(data)
        profile = cls()
        profile.version, profile.newest = view.version, view.newest
        profile.plays, profile.skips = view.plays, view.skips
        columns = (view.weights, view.lasts, view.track_plays, view.track_skips)
        rows = np.stack(columns, axis=1, dtype=np.int64).tolist()
        profile.tracks = dict(zip(view.tracks.tolist(), rows, strict=True))
        rows = np.stack((view.artist_weights, view.artist_lasts), axis=1, dtype=np.int64).tolist()
        profile.artists = dict(zip(view.artists.tolist(), rows, strict=True))
        played = view.recent_played.astype(bool).tolist()
        profile.recent = deque(zip(view.recent_times.tolist(), view.recent.tolist(), played, strict=True))
        profile.events = deque(view.events.tolist())
        profile.seen = set(profile.events)
        profile.loved, profile.banned = dict.fromkeys(view.loved.tolist()), dict.fromkeys(view.banned.tolist())
        profile.loved_artists = dict.fromkeys(view.loved_artists.tolist())
        profile.banned_artists = dict.fromkeys(view.banned_artists.tolist())
        profile.hours = view.hours.tolist()
        return profile


def _column(values: object, kind: str) -> bytes:
    if not isinstance(values, np.ndarray):
        values = list(values)  # type: ignore[call-overload]  # any iterable of ints; a union says less
    return np.asarray(values, dtype=np.int64).astype(kind).tobytes()


class ProfileView:
    """A profile's bytes as read-only numpy columns: what a scorer reads. Raises BadProfile.

    `tracks`, `weights`, `lasts`, `track_plays`, `track_skips` are parallel, as are `artists`, `artist_weights`,
    `artist_lasts`, and `recent`, `recent_times`, `recent_played` (oldest first). Weights: models.taste.UNIT to a play.
    """

    __slots__ = (
        "artist_lasts", "artist_weights", "artists", "banned", "banned_artists", "events", "hours", "lasts", "loved",
        "loved_artists", "newest", "plays", "recent", "recent_played", "recent_times", "skips", "track_plays",
        "track_skips", "tracks", "version", "weights",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size or data[:4] != MAGIC:
            raise BadProfile(f"not a profile of format {MAGIC.decode()}: {len(data)} bytes")
        _, self.version, self.newest, self.plays, self.skips, *lengths = _HEADER.unpack_from(data)
        tracks, artists, recent, events, *marks = lengths
        size = _HEADER.size + 8 * sum(lengths) + 12 * tracks + 8 * artists + 5 * recent + 2 * HOURS
        if len(data) != size:
            raise BadProfile(f"a profile of {len(data)} bytes whose header says {size}")
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
