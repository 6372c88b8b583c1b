"""Whether tracks were noted as met (models.met): looked up for each candidate of each list, so compiled."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.ids import SHORT
from models.met import MASK, SHIFTS


def noted(flags: NDArray[np.uint8], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these keys were noted, and a few more; `flags` are the bytes, none for nothing noted."""
    return _noted(flags, keys) if len(flags) else np.zeros(len(keys), dtype=bool)


@compiled
def _noted(flags: NDArray[np.uint8], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    found = np.empty(len(keys), np.bool_)
    for at in range(len(keys)):
        there = True
        for shift in SHIFTS:  # most keys are out after the first look
            place = keys[at] >> (SHORT + shift) & MASK
            if flags[place >> 3] >> (place & 7) & 1 == 0:
                there = False
                break
        found[at] = there
    return found
