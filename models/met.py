"""Which tracks a listener has met that their profile no longer lists: a Bloom filter (Bloom 1970) of their keys.

Of n tracks in m = 8 · BYTES bits a share (1 − e^(−HASHES·n/m))^HASHES of all others is taken for met too: 0.2 % at
3,000 tracks, 5 % at 10,000. One that was met is never taken for new. Keys (models.ids) are hashes already, so each
place is some of a key's own bits.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

BYTES = 8_192
HASHES = 3
_MASK = 8 * BYTES - 1  # of the 16 bits of a key that say a place
_SHIFTS = tuple(16 * turn for turn in range(HASHES))


def note(met: bytearray, keys: "array[int]") -> None:
    """Note these keys. An empty `met` grows to BYTES first."""
    if not met:
        met.extend(bytes(BYTES))
    for key in keys:  # mostly one or 256: no array would pay
        for shift in _SHIFTS:
            place = key >> shift & _MASK
            met[place >> 3] |= 1 << (place & 7)


def noted(flags: NDArray[np.uint8], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these keys were noted, and a few more; `flags` are the bytes, none for nothing noted."""
    found = np.zeros(len(keys), dtype=bool)
    if not len(flags):
        return found
    left = np.arange(len(keys))
    for shift in _SHIFTS:  # most keys are out after the first look
        places = keys[left] >> shift & _MASK
        left = left[flags[places >> 3] >> (places & 7) & 1 != 0]
    found[left] = True
    return found
