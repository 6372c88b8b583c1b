"""Whether a track was noted as met (models.met): looked up for each candidate of each list, so compiled."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.ids import SHORT
from models.met import MASK, SHIFTS


@compiled
def is_noted(flags: NDArray[np.uint8], key: int) -> bool:
    """Whether this key was noted; there are flags."""
    for shift in SHIFTS:  # most keys are out after the first look
        place = key >> (SHORT + shift) & MASK
        if flags[place >> 3] >> (place & 7) & 1 == 0:
            return False
    return True
