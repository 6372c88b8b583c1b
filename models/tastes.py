"""Weights by key as parallel columns, which are their own bytes: what a profile knows of tracks, and of artists."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ids import SHORT

SCANS = 32  # look-ups after which a table of places is made: for 1,125 keys 0.1 MB and 0.1 ms, where a scan takes 3 µs
STEP_BITS = 16  # a weight is as of a multiple of 2^16 s, 18 hours: a time in 16 bits, with which decay loses nothing
STEP = 1 << STEP_BITS  # s
MOST_COUNTED = 65_535
Column = NDArray[np.integer[Any]]
TAIL = 8  # bits of a short key in the column of its last ones


class Tastes(Mapping[int, list[int]]):
    """Columns in the order in which keys first came; as a mapping key -> [weight, last (s), counts …], made to be read.

    A key has a place in every column: find it with `place`, then read and write the columns there. Keys are known by
    their first 40 bits (models.ids.short); any key may be asked for.
    """

    __slots__ = ("_places", "_scans", "counts", "lasts", "tails", "tops", "weights")

    def __init__(
        self, tops: "array[int]", tails: "array[int]", weights: "array[int]", lasts: "array[int]", *counts: "array[int]"
    ) -> None:
        self.tops = tops  # the first 32 bits of keys …
        self.tails = tails  # … and the next 8
        self.weights = weights  # 16 bits, as of `lasts`
        self.lasts = lasts  # the step that the newest event fell into, 16 bits
        self.counts = counts  # 8 bits each, or 16 once one of them needs it
        self._places: dict[int, int] | None = None if tops else {}
        self._scans = 0

    @classmethod
    def empty(cls) -> "Tastes":
        """Without a key, and nothing is counted."""
        return cls(array("I"), array("B"), array("h"), array("H"))

    def place(self, key: int) -> int:
        """Where a key stands; −1 when it does not.

        Most profiles that are read from bytes get one or two listens before they are bytes again.
        """
        key >>= SHORT
        places = self._places
        if places is None:
            self._scans += 1
            if self._scans <= SCANS:
                return self._scanned(key)
            keys = self._keys() >> SHORT
            places = self._places = dict(zip(keys.tolist(), range(len(keys)), strict=True))
        return places.get(key, -1)

    def _scanned(self, key: int) -> int:
        top, tail = key >> TAIL, key & 0xFF
        found: bytes = (np.frombuffer(self.tops, np.uint32) == top).tobytes()
        place = found.find(1)
        while place >= 0 and self.tails[place] != tail:
            place = found.find(1, place + 1)
        return place

    def append(self, key: int, last: int) -> int:
        """Put in a new key, its weight and counts zero; its place. `last`: a step."""
        place = len(self.tops)
        key >>= SHORT
        self.tops.append(key >> TAIL)
        self.tails.append(key & 0xFF)
        self.weights.append(0)
        self.lasts.append(last)
        for count in self.counts:
            count.append(0)
        if self._places is not None:
            self._places[key] = place
        return place

    def short_at(self, place: int) -> int:
        """The 40 bits of the key at a place."""
        return self.tops[place] << TAIL | self.tails[place]

    def shorts_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """`short_at` of many."""
        return (
            keys_of(np.frombuffer(self.tops, np.uint32)[places], np.frombuffer(self.tails, np.uint8)[places]) >> SHORT
        )

    def begin_counts(self, counts: Iterable[NDArray[np.int64]]) -> None:
        """Count from here on."""
        found = [np.minimum(count, MOST_COUNTED) for count in counts]
        narrow = all(not len(count) or count.max() <= 255 for count in found)
        kind, wide = ("B", np.uint8) if narrow else ("H", np.uint16)
        self.counts = tuple(array(kind, count.astype(wide).tobytes()) for count in found)

    def count(self, which: int, place: int) -> None:
        """Add one to a count, unless it is at the end of its 16 bits."""
        counts = self.counts[which]
        counted = counts[place]
        if counted < 255:
            counts[place] = counted + 1
            return
        if counts.typecode == "B":
            self.counts = tuple(array("H", count.tolist()) for count in self.counts)
        self.counts[which][place] = min(MOST_COUNTED, counted + 1)

    def keep(self, places: NDArray[np.intp]) -> None:
        """Forget all but these, given in rising order."""
        self.tops, self.tails, self.weights, self.lasts, *counts = (
            array(column.typecode, np.frombuffer(column, column.typecode)[places].tobytes())
            for column in (self.tops, self.tails, self.weights, self.lasts, *self.counts)
        )
        self.counts = tuple(counts)
        self._places = dict(zip((self._keys() >> SHORT).tolist(), range(len(self.tops)), strict=True))

    def _keys(self) -> NDArray[np.int64]:
        return keys_of(np.frombuffer(self.tops, np.uint32), np.frombuffer(self.tails, np.uint8))

    def __getitem__(self, key: int) -> list[int]:
        place = self.place(key)
        if place < 0:
            raise KeyError(key)
        return [self.weights[place], self.lasts[place] << STEP_BITS, *(count[place] for count in self.counts)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys().tolist())

    def __len__(self) -> int:
        return len(self.tops)


def keys_of(tops: Column, tails: Column) -> NDArray[np.int64]:
    """Short keys of their two columns."""
    keys = tops.astype(np.int64)
    keys <<= TAIL
    keys |= tails
    keys <<= SHORT
    return keys
