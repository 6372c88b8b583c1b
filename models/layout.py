"""The bytes of a profile: a header, then columns. Which they are and why: models.profile."""

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


class ProfileBytes:
    """A profile's bytes as read-only columns, as they are written. Raises BadProfile.

    Who reads the columns indexes by them, and compiled loops do not look where an index leads. So nothing is believed
    for its checksum alone, which is right by chance once in 65,536 times: what is out of its bounds is refused.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < PREFIXED.size + HEADER.size or data[:2] != MAGIC:
            raise _not_one(data)
        flags = data[4]
        header = LARGE_HEADER if flags & LARGE else HEADER
        wide, marked = bool(flags & WIDE), bool(flags & MARKED)
        self.whole = not flags & COUNTED
        begin = PREFIXED.size + header.size
        at = begin + (not self.whole) * COUNTS.size + marked * MARKS.size
        if len(data) < at:
            raise BadProfile(f"a profile of {len(data)} bytes whose header alone has {at}")
        _, place_bits, gap_bits, high, low, self.newest, first, *sizes = header.unpack_from(data, PREFIXED.size)
        self.version = (high << 32 | low) - 1
        tracks, plays, gaps, events = sizes
        artists, *marks = MARKS.unpack_from(data, at - MARKS.size) if marked else (0, 0, 0, 0, 0)
        shape = Shape(plays, place_bits, gap_bits, bool(flags & MIXED), first, _NO_STEPS)
        each = 7 if self.whole else 11 + 2 * wide
        size = at + each * tracks + shape.bytes + 2 * gaps + 4 * events + 9 * artists + 8 * sum(marks)
        size += met.BYTES if flags & NOTED else 0
        if len(data) < size or (len(data) - size) % SEGMENT_BYTES:
            raise BadProfile(f"a profile of {len(data)} bytes whose header says {size}, and then whole segments")
        if PREFIXED.unpack_from(data)[1] != crc32(memoryview(data)[PREFIXED.size : size]) & 0xFFFF:
            raise BadProfile(f"a profile of {len(data)} bytes that are not as they were written (by their checksum)")
        if not 0 < place_bits <= _MOST_BITS or not 0 < gap_bits <= _MOST_BITS or flags & ~KNOWN_FLAGS:
            raise BadProfile(f"a profile of flags {flags}, with {place_bits} bits a place and {gap_bits} a gap")
        self.data, self.head_bytes, self._counts_at = data, size, begin
        self.unpacked: Columns | None = None  # the latest plays, once somebody has looked at them and found them sound
        self.count_kinds = "" if self.whole else "HH" if wide else "BB"

        def take(kind: str, count: int) -> Column:
            nonlocal at
            column: Column = np.frombuffer(data, kind, count, at)
            at += column.nbytes
            return column

        self.tops, self.tails, self.weights = take("<u4", tracks), take("u1", tracks), take("<i2", tracks)
        self.last_steps = _NO_STEPS if self.whole else take("<u2", tracks)
        self.track_counts = tuple(take(kind, tracks) for kind in self.count_kinds)
        self.plays_at = at
        at += shape.bytes
        self.shape = shape._replace(gaps=take("<u2", gaps)) if gaps else shape
        self.events = take("<u4", events)
        self.artist_columns: tuple[Column, ...] = ()
        self.loved = self.banned = self.loved_artists = self.banned_artists = _NO_KEYS
        if marked:
            self.artist_columns = tuple(take(kind, artists) for kind in ("<u4", "u1", "<i2", "<u2"))
            self.loved, self.banned, self.loved_artists, self.banned_artists = (
                take("<i8", mark).astype(np.int64, copy=False) for mark in marks
            )
        self.met: Flags = take("u1", met.BYTES).view(np.uint8) if flags & NOTED else _NO_FLAGS
        self._refuse_unsound()
        self.segments: Column | None = None  # (segments, prefixes and times, plays)
        if len(data) > size:
            self.segments = self._sealed_plays()

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
        if len(places) and (places.max() >= len(self.tops) or ticks[-1] > self.newest >> TICK_BITS):
            raise BadProfile("a profile with a play of no track of its own, or after its newest")
        self.unpacked = columns
        return columns

    def _refuse_unsound(self) -> None:
        """All but the plays, which are looked at by who unpacks them."""
        bits = self.shape.plays * self.shape.width & 7
        if bits and self.data[self.plays_at + self.shape.bytes - 1] >> bits:
            raise BadProfile("a profile with something behind its latest plays")
        steps = [self.last_steps]
        if not self.whole:
            plays, skips, _ = self.counts()
            if plays + skips < self.shape.plays or plays + skips > _MOST_PLAYS:
                raise BadProfile(f"a profile of {plays} plays and {skips} skips, {self.shape.plays} of them at hand")
        if self.artist_columns:
            steps.append(self.artist_columns[3])
        if any(len(each) and each.max() > self.newest >> STEP_BITS for each in steps):
            raise BadProfile("a profile with a weight of a time after its newest")
        marks = (self.loved, self.banned, self.loved_artists, self.banned_artists)
        if any(len(each) and each.min() < 0 for each in marks):
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
