"""Ids of events that have none: the same event gets the same id from any file, at any time, on any machine."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.ids import cached_key_of, key_of
from services.importer.key_set import Keys, KeySet

# An event is the same event when all of these are.
TOLD = ("user_id", "track_id", "kind", "listened_at", "ms_played")
_TEXTS = ("user_id", "track_id", "kind")
_LANES = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))  # two halves of an id; digits of pi


class EventIds:
    """Hands out the ids of one file's events.

    An id is 128 bits in hex: the 63-bit keys (BLAKE2b) of the texts, and the numbers, stirred together. When a file
    holds the very same event again, the count 1 is stirred in too, then 2…; so identical rows stay apart, and a file
    that is part of another gets the same ids. With `once`, a repeat is no event of its own and gets none.
    """

    def __init__(self, once: bool = False) -> None:
        self._once = once
        self._seen = KeySet()
        self._times: dict[int, int] = {}  # how often, for those seen more than once

    def of(self, events: pl.DataFrame) -> pl.Series:
        """One id for each row (with columns TOLD), in order; null for a repeat if `once`."""
        told = [_keys(events[name]) if name in _TEXTS else _numbers(events[name]) for name in TOLD]
        high, low = (_stirred(lane, told) for lane in _LANES)
        count = self._counted(high)
        again = count > 0
        if again.any() and not self._once:
            numbers = count.astype(np.uint64)
            high = np.where(again, _scrambled(high ^ numbers), high)
            low = np.where(again, _scrambled(low ^ numbers), low)
        ids = _hex(high, low)
        return ids.set(pl.Series(again), None) if self._once else ids

    def _counted(self, keys: Keys) -> NDArray[np.int64]:
        """How often each came before, here or in earlier batches."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.empty(0, np.int64)
        sizes = np.diff(np.r_[first, len(keys)])
        before = self._seen.has(ordered[first]).astype(np.int64)
        for group in np.flatnonzero(before + sizes > 1):
            key = int(ordered[first[group]])
            before[group] = self._times.get(key, before[group])
            self._times[key] = int(before[group] + sizes[group])
        self._seen.add(ordered[first])
        count = np.empty(len(keys), dtype=np.int64)
        count[order] = np.arange(len(keys)) - np.repeat(first - before, sizes)
        return count


def keys_of(ids: pl.Series) -> Keys:
    """A 64-bit key for each event id: the first half of an id as made here, else the key of the text."""
    made = ids.str.contains("^[0-9a-f]{32}$")
    halves = pl.when(pl.Series(made)).then(ids.str.slice(0, 16)).otherwise(pl.lit("0" * 16))
    read = ids.to_frame().select(halves.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big"))
    keys = read.to_series().to_numpy().copy()
    others = np.flatnonzero(~made.to_numpy())
    keys[others] = [key_of(text) for text in ids.gather(others)]
    return keys


def _keys(texts: pl.Series) -> Keys:
    """The key of each text; each distinct one is hashed once."""
    distinct = texts.unique()
    keys = np.array([cached_key_of(text) for text in distinct], dtype=np.uint64)
    codes = texts.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return np.take(keys, codes)


def _numbers(values: pl.Series) -> Keys:
    return values.fill_null(-1).to_numpy().astype(np.int64).view(np.uint64)


def _stirred(lane: np.uint64, parts: list[Keys]) -> Keys:
    state: Keys = np.full(len(parts[0]), lane, dtype=np.uint64)
    for part in parts:
        state = _scrambled(state ^ _scrambled(part + lane))
    return state


def _scrambled(x: Keys) -> Keys:
    """The finaliser of SplitMix64: one to one, every bit of x sways every bit of the result."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _hex(high: Keys, low: Keys) -> pl.Series:
    halves = np.stack([high, low], axis=1).astype(">u8")
    return pl.Series("event_id", halves.view("V16").ravel().tolist(), dtype=pl.Binary).bin.encode("hex")
