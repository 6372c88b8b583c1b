"""A listener's latest plays in a few bits each: one number that grows at its top and is cut at its bottom.

A play is, from its lowest bit: the place of its track among the profile's tracks (`place_bits`), the ticks since the
play before (`gap_bits`; all of them set: the gap is among `gaps`), and, once there was a skip, one bit that says so.
Python shifts a number of thousands of bits in a fraction of a microsecond and copies it to bytes as fast. The widths
are those with which the plays take the fewest bits, looked at again now and then.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

TICK_BITS = 4
TICK = 1 << TICK_BITS  # s: what plays are apart is kept to this
FAR = 65_535  # ticks, 12 days: a gap this long takes three of the gaps: this, then its 32 bits, the lower 16 first
_FAR_BYTES = FAR.to_bytes(2, "little")
PLACE_BITS, GAP_BITS = 6, 6  # to begin with
GAP_WIDTHS = np.arange(3, 13)
GAP_ENDS = (1 << GAP_WIDTHS) - 1
WIDTHS = list(zip(GAP_WIDTHS.tolist(), GAP_ENDS.tolist(), strict=True))
FEW = 32  # plays, up to which Python's own numbers are packed anew faster than numpy's
WORD = 8  # bytes that are read at once: as many must be there behind the last play

Numbers = NDArray[np.int64]
Column = NDArray[np.integer[Any]]
Width = TypeVar("Width", int, Numbers)


class Columns(NamedTuple):
    """Plays and skips, oldest first; parallel."""

    places: Numbers
    ticks: Numbers
    skipped: Numbers  # 0 or 1


class Shape(NamedTuple):
    """What there must be known of plays to read their bytes."""

    plays: int
    place_bits: int
    gap_bits: int
    mixed: bool  # whether there was a skip
    first: int  # tick of the oldest
    gaps: Column

    @property
    def width(self) -> int:
        """Bits of a play."""
        return self.place_bits + self.gap_bits + self.mixed

    @property
    def bytes(self) -> int:
        """Of all plays, without their long gaps."""
        return (self.plays * self.width + 7) >> 3


class Plays:
    """The latest plays and skips, by their time."""

    __slots__ = ("_bits", "_last", "_width", "count", "first", "gap_bits", "gaps", "mixed", "place_bits")

    def __init__(self) -> None:
        self.count = 0
        self.place_bits, self.gap_bits = PLACE_BITS, GAP_BITS
        self.mixed = False  # whether there was a skip
        self.first = 0  # tick of the oldest
        self.gaps = array("H")
        self._last = 0  # tick of the newest
        self._bits = 0
        self._width = PLACE_BITS + GAP_BITS

    @classmethod
    def read(cls, packed: bytes, shape: Shape, last: int) -> "Plays":
        """From `packed`; `last` is the tick of the newest."""
        made = cls()
        made.count, made.place_bits, made.gap_bits, made.mixed, made.first, gaps = shape
        made.gaps = array("H", gaps.tobytes())
        made._width = shape.width
        made._bits, made._last = int.from_bytes(packed, "little"), last
        return made

    def packed(self) -> bytes:
        """The plays themselves, without their long gaps."""
        return self._bits.to_bytes((self.count * self._width + 7) >> 3, "little")

    def put(self, place: int, tick: int, played: bool) -> None:
        """Put in a play where its time belongs, behind those of its own tick."""
        count, gap = self.count, tick - self._last
        if gap < 0 and count:
            self._put_late(place, tick, played)
            return
        if place >> self.place_bits or not (played or self.mixed):
            self.fit(place.bit_length(), self.mixed or not played)
        if count:
            long = (1 << self.gap_bits) - 1
            if gap >= long:
                self._note_long(gap)
                gap = long
        else:
            gap, self.first = 0, tick
        width = self._width
        bits = place | gap << self.place_bits
        if not played:
            bits |= 1 << width - 1
        self._bits |= bits << count * width
        self.count = count + 1
        self._last = tick

    def drop_oldest(self) -> int:
        """Forget one, and tell its place."""
        self.count -= 1
        place = self._bits & (1 << self.place_bits) - 1
        long = (1 << self.gap_bits) - 1
        bits = self._bits >> self._width
        gap = (bits >> self.place_bits) & long
        self._bits = bits ^ (gap << self.place_bits)  # the oldest has none before it
        if gap == long:
            gap = self.gaps.pop(0)
            if gap == FAR:
                gap = self.gaps.pop(0) | self.gaps.pop(0) << 16
        self.first += gap
        return place

    def take_oldest(self, count: int) -> Columns:
        """Forget so many, and tell which they were."""
        places, apart, skipped = self._apart()
        ticks = np.cumsum(apart[: count + 1])
        ticks += self.first
        if count < len(places):
            self.first, apart[count] = int(ticks[count]), 0  # the oldest has none before it
        self._fill(places[count:], apart[count:], skipped[count:])
        return Columns(places[:count], ticks[:count], skipped[:count])

    def move(self, places: Numbers) -> None:
        """The tracks were put elsewhere: `places` has the new place of each old one."""
        before, apart, skipped = self._apart()
        self._fill(places[before], apart, skipped)

    def fit(self, place_bits: int = 1, mixed: bool = False) -> None:
        """Take the fewest bits, with room for places of so many, and for a skip."""
        if self.count <= FEW:
            self._fit_few(place_bits, mixed)
        else:
            self._fill(*self._apart(), place_bits, mixed)

    def _fit_few(self, place_bits: int, mixed: bool) -> None:
        """The same bits as `_fill` makes: a new listener's plays are fitted at every few of them."""
        bits, width, at, long = self._bits, self._width, self.place_bits, (1 << self.gap_bits) - 1
        far, some = _one_by_one(self.gaps.tolist()), (1 << at) - 1
        plays = [bits >> n & (1 << width) - 1 for n in range(0, self.count * width, width)]
        places = [play & some for play in plays]
        apart = [gap if gap < long else next(far) for gap in (play >> at & long for play in plays)]
        skipped = [play >> width - 1 for play in plays] if self.mixed else [0] * len(plays)
        self.mixed = mixed or any(skipped)
        self.place_bits = at = max(place_bits, max(places, default=1).bit_length(), 1)
        self.gap_bits = _fewest_bits_of_few(apart)
        self._width = width = at + self.gap_bits + self.mixed
        self.gaps, bits, long, shift = array("H"), 0, (1 << self.gap_bits) - 1, 0
        for place, gap, skip in zip(places, apart, skipped, strict=True):
            if gap >= long:
                self._note_long(gap)
                gap = long  # what is written in its stead
            bits |= (place | gap << at | skip << width - 1) << shift
            shift += width
        self._bits = bits

    def columns(self) -> Columns:
        """All of them as numbers."""
        return unpacked(self.packed(), 0, self._shape())

    def _apart(self) -> tuple[Numbers, Numbers, Numbers]:
        """(places, ticks since the play before, skipped)."""
        return unpacked_apart(self.packed(), 0, self._shape())

    def _shape(self) -> Shape:
        gaps = np.frombuffer(self.gaps, np.uint16)
        return Shape(self.count, self.place_bits, self.gap_bits, self.mixed, self.first, gaps)

    def _put_late(self, place: int, tick: int, played: bool) -> None:
        columns = self.columns()
        at = int(np.searchsorted(columns.ticks, tick, side="right"))
        values = (place, tick, int(not played))
        places, ticks, skipped = (np.insert(column, at, value) for column, value in zip(columns, values, strict=True))
        self.first = int(ticks[0])
        self._fill(places, np.diff(ticks, prepend=ticks[:1]), skipped)

    def _note_long(self, gap: int) -> None:
        self.gaps.extend((gap,) if gap < FAR else (FAR, gap & 0xFFFF, gap >> 16))

    def _fill(
        self, places: Numbers, apart: Numbers, skipped: Numbers, place_bits: int = 1, mixed: bool = False
    ) -> None:
        """Hold these from `first` to `_last`, with room for places of so many bits, and for a skip."""
        self.count, self.gaps, self._bits = len(places), array("H"), 0
        self.mixed = mixed or bool(skipped.any())
        self.place_bits = max(place_bits, int(places.max(initial=1)).bit_length())
        self.gap_bits = _fewest_bits(apart)
        self._width = self.place_bits + self.gap_bits + self.mixed
        if not self.count:
            return
        long = (1 << self.gap_bits) - 1
        for gap in apart[apart >= long].tolist():
            self._note_long(gap)
        plays = places | np.minimum(apart, long) << self.place_bits
        if self.mixed:
            plays |= skipped << (self._width - 1)
        bits = np.unpackbits(plays.astype("<i8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        packed = np.packbits(bits[:, : self._width], bitorder="little")
        self._bits = int.from_bytes(packed.tobytes(), "little")


def _fewest_bits(apart: Numbers) -> int:
    """Of a gap, where one that is longer takes 16 more."""
    if not len(apart):
        return GAP_BITS
    longer = len(apart) - np.sort(apart).searchsorted(GAP_ENDS)
    return int(GAP_WIDTHS[(GAP_WIDTHS * len(apart) + 16 * longer).argmin()])


def _fewest_bits_of_few(apart: list[int]) -> int:
    """The same of a list."""
    if not apart:
        return GAP_BITS
    ordered, count = sorted(apart), len(apart)
    taken = [width * count + 16 * (count - bisect_left(ordered, end)) for width, end in WIDTHS]
    return WIDTHS[taken.index(min(taken))][0]


def unpacked(data: bytes, at: int, shape: Shape) -> Columns:
    """The plays that stand in `data` from `at` on. Raises ValueError where they and their long gaps disagree."""
    places, apart, skipped = unpacked_apart(data, at, shape)
    ticks = np.cumsum(apart)
    ticks += shape.first
    return Columns(places, ticks, skipped)


def unpacked_apart(data: bytes, at: int, shape: Shape) -> tuple[Numbers, Numbers, Numbers]:
    """(places, ticks since the play before, skipped) of the plays that stand in `data` from `at` on.

    Raises ValueError where they and their long gaps disagree.
    """
    size, width = shape.bytes, shape.width
    if len(data) < at + size + WORD:
        data, at = data[at : at + size] + bytes(WORD), 0
    words: Numbers = np.ndarray((size + 1,), "<i8", data, at, (1,))  # one at each byte
    starts = np.arange(0, shape.plays * width, width)
    plays = words[starts >> 3] >> (starts & 7)
    places, gaps = split(plays, shape.place_bits, shape.gap_bits)
    far = np.flatnonzero(gaps == (1 << shape.gap_bits) - 1)
    if len(far) or len(shape.gaps):
        long = long_gaps(shape.gaps)
        if len(long) != len(far):
            raise ValueError(f"of {len(far)} long gaps {len(long)} are there")
        gaps[far] = long
    if len(gaps) and gaps[0]:
        raise ValueError("the oldest play has a gap before it")
    return places, gaps, plays >> (width - 1) & 1 if shape.mixed else np.zeros(shape.plays, np.int64)


def split(plays: Numbers, place_bits: Width, gap_bits: Width) -> tuple[Numbers, Numbers]:
    """(places, gaps) of plays whose lowest bits they are; of long gaps all bits are set."""
    return plays & ((1 << place_bits) - 1), plays >> place_bits & ((1 << gap_bits) - 1)


def long_gaps(gaps: Column) -> Numbers:
    """One number a gap. Raises ValueError where the last is cut."""
    if _FAR_BYTES not in gaps.tobytes():
        return gaps.astype(np.int64)
    return np.fromiter(_one_by_one(gaps.tolist()), np.int64)


def _one_by_one(gaps: list[int]) -> Iterator[int]:
    each = iter(gaps)
    for gap in each:
        if gap != FAR:
            yield gap
            continue
        low, high = next(each, None), next(each, None)
        if low is None or high is None:
            raise ValueError("the last long gap is cut")
        yield low | high << 16
