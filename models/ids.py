"""Stable 64-bit keys: inside Segue a track, an artist and an event are numbers."""

from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Keys = TypeVar("Keys", int, NDArray[np.int64])

_NOTHING = blake2b(digest_size=8)
SHORT = 23  # bits of a key of 63 that a profile leaves out of a track's


def key_of(name: str) -> int:
    """The key of an id: 63 bits of BLAKE2b, the same on every machine and for ever; never negative.

    With n ids the chance of any two sharing a key is about n² / 2⁶⁴ (1 in 18 million for a million tracks); the trainer
    proves that a catalogue has none.
    """
    made = _NOTHING.copy()  # in half the time that making one takes
    made.update(name.encode() if name.isascii() else name.encode("utf-8", "surrogatepass"))
    return int.from_bytes(made.digest(), "little") >> 1


def short(key: Keys) -> Keys:
    """A key as a profile knows a track by: its first 40 bits, the others zero.

    Of n tracks n² / 2⁴¹ share one: half a pair of a million. To a profile such two are one track, the first of the
    catalogue.
    """
    return key >> SHORT << SHORT


@lru_cache(maxsize=1 << 18)
def cached_key_of(name: str) -> int:
    """`key_of`, remembered: for tracks and artists, which come again and again."""
    return key_of(name)


def artist_key_of(name: str) -> int:
    """The key of an artist's name, letter case and outer blanks aside."""
    return cached_key_of("artist\x1f" + name.strip().casefold())
