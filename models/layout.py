"""The bytes of a profile: a header, then columns. Which they are and why: models.profile."""

from collections.abc import Iterable, Iterator
from struct import Struct as Packing
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models import met
from models.plays import TICK_BITS, Column, Columns, Numbers, Shape, unpacked
from models.tastes import STEP_BITS

MAGIC = b"S3"
FORMAT = "SGP3"
HOURS = 24
SEGMENT = 256  # plays
PREFIX = 31  # bits of a key of 63 that the past leaves out
PLAY_BYTES = 8  # of one in the past
SEGMENT_BYTES = SEGMENT * PLAY_BYTES + 4  # its plays, and the CRC-32 of these

PREFIXED = Packing("<2sH")  # magic, checksum: 16 bits of the CRC-32 of all of the head behind it
# flags, bits of a place, bits of a gap, version + 1 (its upper 16 bits, its lower 32), newest, tick of the oldest of
# the latest plays; how many tracks, latest plays, long gaps, events
HEADER = Packing("<BBBHIII3HB")
LARGE_HEADER = Packing("<BBBHIII4I")  # the same, once these need it
COUNTS = Packing(f"<II{HOURS}H")  # plays, skips, plays by hour
MARKS = Packing("<5I")  # how many artists, loved, banned, of artists both

# Flags: skips; COUNTS and counts; these of 16 bits; MARKS; LARGE_HEADER; what was met.
MIXED, COUNTED, WIDE, MARKED, LARGE, NOTED = 1, 2, 4, 8, 16, 32
KNOWN_FLAGS = MIXED | COUNTED | WIDE | MARKED | LARGE | NOTED

Flags = NDArray[np.uint8]

_MOST_BITS = 28  # of a place, or of a gap
_MOST_PLAYS = 2**31  # of one listener, one a second for 68 years: a count has room for more to come
_NO_KEYS, _NO_STEPS, _NO_FLAGS = np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint8)


class BadProfile(ValueError):
    """Bytes that are no profile, or one of a format that this version does not know."""


class OtherFormat(BadProfile):
    """Of a format that another version wrote: nothing is damaged."""


class Head:
    """Where the columns of a profile stand in its bytes, and its numbers; all but the plays are looked at.

    Who reads the columns indexes by them, and compiled loops do not look where an index leads. So nothing is believed
    for its checksum alone, which is right by chance once in 65,536 times: what is out of its bounds is refused. Raises
    BadProfile.
    """

    __slots__ = (
        "_counts_at", "count_kinds", "data", "events_at", "head_bytes", "marks", "marks_at", "newest", "noted",
        "plays_at", "remembered", "segments", "shape", "track_count", "tracks_at", "unpacked", "version", "whole",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        if len(data) < PREFIXED.size + HEADER.size or data[:2] != MAGIC:
            raise _not_one(data)
        flags = data[4]
        header = LARGE_HEADER if flags & LARGE else HEADER
        wide, marked, noted = flags & WIDE, flags & MARKED, flags & NOTED
        whole = not flags & COUNTED
        begin = PREFIXED.size + header.size
        at = begin + (0 if whole else COUNTS.size) + (MARKS.size if marked else 0)
        if len(data) < at:
            raise BadProfile(f"a profile of {len(data)} bytes whose header alone has {at}")
        _, place_bits, gap_bits, high, low, newest, first, tracks, plays, gaps, events = header.unpack_from(
            data, PREFIXED.size
        )
        mixed = bool(flags & MIXED)
        bits = plays * (place_bits + gap_bits + mixed)
        plays_at = at + (7 if whole else 13 if wide else 11) * tracks
        gaps_at = plays_at + (bits + 7 >> 3)
        events_at = gaps_at + 2 * gaps
        size = marks_at = events_at + 4 * events
        marks: tuple[int, ...] = ()
        if marked:
            marks = MARKS.unpack_from(data, at - MARKS.size)
            size += 9 * marks[0] + 8 * sum(marks[1:])
        if noted:
            size += met.BYTES
        if len(data) != size and (len(data) < size or (len(data) - size) % SEGMENT_BYTES):
            raise BadProfile(f"a profile of {len(data)} bytes whose header says {size}, and then whole segments")
        if (data[3] << 8 | data[2]) != crc32(memoryview(data)[PREFIXED.size : size]) & 0xFFFF:
            raise BadProfile(f"a profile of {len(data)} bytes that are not as they were written (by their checksum)")
        if not 0 < place_bits <= _MOST_BITS or not 0 < gap_bits <= _MOST_BITS or flags & ~KNOWN_FLAGS:
            raise BadProfile(f"a profile of flags {flags}, with {place_bits} bits a place and {gap_bits} a gap")
        if bits & 7 and data[gaps_at - 1] >> (bits & 7):
            raise BadProfile("a profile with something behind its latest plays")
        self.data, self.head_bytes, self.whole, self.noted = data, size, whole, noted
        self.version, self.newest = (high << 32 | low) - 1, newest
        self.track_count, self.tracks_at, self.plays_at = tracks, at, plays_at
        self.remembered, self.events_at = events, events_at
        self.marks, self.marks_at = marks, marks_at
        self.count_kinds = "" if whole else "HH" if wide else "BB"
        long = np.frombuffer(data, "<u2", gaps, gaps_at) if gaps else _NO_STEPS
        self.shape = Shape(plays, place_bits, gap_bits, mixed, first, long)
        self.unpacked: Columns | None = None  # the latest plays, once somebody has looked at them and found them sound
        self._counts_at = begin
        if not whole or marked:
            self._refuse_unsound()
        self.segments = self._sealed_plays() if len(data) > size else None  # (segments, prefixes and times, plays)

    def counts(self) -> tuple[int, int, list[int]]:
        """(plays, skips, plays by hour) of one that is not whole."""
        plays, skips, *hours = COUNTS.unpack_from(self.data, self._counts_at)
        return plays, skips, hours

    def latest(self) -> Columns:
        """The latest plays. Raises BadProfile."""
        if self.unpacked is not None:
            return self.unpacked
        try:
            columns = unpacked(self.data, self.plays_at, self.shape)
        except ValueError as error:
            raise BadProfile(f"a profile whose latest plays cannot be read: {error}") from error
        places, ticks, _ = columns
        if len(places) and (places.max() >= self.track_count or ticks[-1] > self.newest >> TICK_BITS):
            raise BadProfile("a profile with a play of no track of its own, or after its newest")
        self.unpacked = columns
        return columns

    @property
    def track_counts(self) -> tuple[Column, ...]:
        """(plays, skips) of each track, of one that is not whole."""
        return tuple(_taken(self.data, self.tracks_at + 9 * self.track_count, self.track_count, self.count_kinds))

    @property
    def last_steps(self) -> Column:
        """Each track's last step, of one that is not whole."""
        return np.frombuffer(self.data, "<u2", self.track_count, self.tracks_at + 7 * self.track_count)

    def artist_columns(self) -> tuple[Column, ...]:
        """(first 32 bits of keys, their next 8, weights, steps) of the artists; nothing where there are none."""
        if not self.marks or not self.marks[0]:
            return ()
        return tuple(_taken(self.data, self.marks_at, self.marks[0], ("<u4", "u1", "<i2", "<u2")))

    def marked(self) -> tuple[NDArray[np.int64], ...]:
        """Keys of the tracks loved and banned, and of the artists."""
        if not self.marks:
            return (_NO_KEYS,) * 4
        artists, *counts = self.marks
        data: NDArray[np.int64] = np.frombuffer(self.data, "<i8", sum(counts), self.marks_at + 9 * artists)
        return tuple(np.split(data.astype(np.int64, copy=False), np.cumsum(counts[:-1])))

    @property
    def met(self) -> Flags:
        """models.met: what left the latest plays; empty while nothing has."""
        if not self.noted:
            return _NO_FLAGS
        return np.frombuffer(self.data, np.uint8, met.BYTES, self.head_bytes - met.BYTES)

    def _refuse_unsound(self) -> None:
        """What a profile has that is not whole, or that has marks."""
        steps: list[Column] = []
        if not self.whole:
            plays, skips, _ = self.counts()
            if plays + skips < self.shape.plays or plays + skips > _MOST_PLAYS:
                raise BadProfile(f"a profile of {plays} plays and {skips} skips, {self.shape.plays} of them at hand")
            steps.append(self.last_steps)
        if artists := self.artist_columns():
            steps.append(artists[3])
        if any(len(each) and each.max() > self.newest >> STEP_BITS for each in steps):
            raise BadProfile("a profile with a weight of a time after its newest")
        if any(len(each) and each.min() < 0 for each in self.marked()):
            raise BadProfile("a profile with a mark on what is no key")

    def _sealed_plays(self) -> Column:
        data, begin = memoryview(self.data), self.head_bytes
        rows: Column = np.frombuffer(data, "<u4", offset=begin).reshape(-1, SEGMENT_BYTES // 4)
        for at, told in enumerate(rows[:, -1].tolist()):
            start = begin + at * SEGMENT_BYTES
            if crc32(data[start : start + SEGMENT * PLAY_BYTES]) != told:
                raise BadProfile(
                    f"a past whose segment {at + 1} of {len(rows)} is not as it was written (by its checksum)"
                )
        segments: Column = rows[:, :-1].reshape(-1, 2, SEGMENT)
        if segments[:, 1].max() > self.newest | 1:
            raise BadProfile("a past with a play after the newest of its profile: it is of another")
        return segments


class ProfileBytes(Head):
    """A profile's bytes as read-only columns, as they are written. Raises BadProfile."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        tracks = self.track_count
        self.tops, self.tails, self.weights = _taken(data, self.tracks_at, tracks, ("<u4", "u1", "<i2"))
        self.events: Column = np.frombuffer(data, "<u4", self.remembered, self.events_at)
        self.loved, self.banned, self.loved_artists, self.banned_artists = self.marked()


def _taken(data: bytes, at: int, count: int, kinds: Iterable[str]) -> Iterator[Column]:
    """Columns of so many, one behind the other."""
    for kind in kinds:
        column: Column = np.frombuffer(data, kind, count, at)
        at += column.nbytes
        yield column


def sealed(body: bytes) -> bytes:
    """A head, of all that comes behind its checksum."""
    return PREFIXED.pack(MAGIC, crc32(body) & 0xFFFF) + body


def segment(prefixes: NDArray[np.uint32], marked: Numbers) -> bytes:
    """A segment of the past, of its tracks and of its times with their marks, SEGMENT each."""
    plays = prefixes.astype("<u4").tobytes() + marked.astype("<u4").tobytes()
    return plays + crc32(plays).to_bytes(4, "little")


def _not_one(data: bytes) -> BadProfile:
    if data[:3] == FORMAT[:3].encode() and len(data) >= len(FORMAT):
        written = data[: len(FORMAT)].decode("ascii", "replace")
        return OtherFormat(
            f"a profile of format {written}, which another version of Segue wrote; this one reads {FORMAT}: rebuild "
            "the profiles from the log (docs/operations.md)"
        )
    return BadProfile(f"not a profile of format {FORMAT}: {len(data)} bytes")
