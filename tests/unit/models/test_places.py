"""Look-ups in sorted columns."""

import numpy as np

from models.places import places_in


def test_what_is_there_has_its_place_and_the_rest_none() -> None:
    column = np.array([2, 5, 9])
    assert places_in(column, np.array([9, 1, 5, 2, 6, 10])).tolist() == [2, -1, 1, 0, -1, -1]
    assert places_in(column, np.empty(0, dtype=np.int64)).tolist() == []
    assert places_in(np.empty(0, dtype=np.int64), np.array([2, 0])).tolist() == [-1, -1]
