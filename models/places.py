"""Where numbers stand in a sorted column."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def places_in(column: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """The place of each wanted number in a rising column without doubles; −1 where it is not there."""
    if not len(column):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(column, wanted), len(column) - 1)
    return np.where(column[at] == wanted, at, -1)
