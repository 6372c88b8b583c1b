"""Columns to write on while a list is made."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Scratch(NamedTuple):
    """Columns as long as a catalogue, all zeros between calls: by row (or artist, or work) without looking it up.

    Of one thread: who makes lists in another has another.
    """

    sums: NDArray[np.float64]
    marks: NDArray[np.int32]

    @classmethod
    def of(cls, size: int) -> "Scratch":
        """For a catalogue of so many tracks."""
        return cls(np.zeros(size), np.zeros(size, np.int32))
