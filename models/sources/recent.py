"""Recently heard: what the listener has played last, liked or not yet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.explain import ago_played
from models.sources.bars import Columns, is_barred
from models.sources.base import Batch, Candidates, Listener, Rows
from models.sources.joined import Joined, parted


class Recent:
    """The listener's own tracks by when they were last heard, those skipped lately among them: some come back."""

    name = "recent"

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source."""
        found = parted(*_all_newest(batch.recent, quota, batch.allowed.columns, batch.scratch.marks))
        return [self._of(*each) for each in zip(batch.listeners, found, strict=True)]

    @staticmethod
    def _of(listener: Listener, newest: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            ages = listener.newest - listener.recent_times[newest[list(positions)]]
            return [ago_played(age) for age in ages.tolist()]

        return Candidates(listener.recent[newest], reasons)


@compiled
def _all_newest(recent: Joined, most: int, bars: Columns, marks: NDArray[np.int32]) -> tuple[Rows, Rows]:
    """(listeners, `most`) places among each listener's plays, and how many each listener has of them."""
    plays, ends = recent
    found, counts, begin = np.empty((len(ends), most), np.int64), np.empty(len(ends), np.int64), 0
    for at in range(len(ends)):
        places = _newest(at, plays[begin : ends[at]], most, bars, marks)
        found[at, : len(places)] = places
        counts[at], begin = len(places), ends[at]
    return found, counts


@compiled
def _newest(at: int, recent: Rows, most: int, bars: Columns, marks: NDArray[np.int32]) -> Rows:
    """The newest places of the `most` tracks heard last that are not barred, of twice as many that are looked at."""
    met, looked = np.empty(min(2 * most, len(recent)), np.int64), 0
    places, count = np.empty(min(most, len(recent)), np.int64), 0
    for place in range(len(recent) - 1, -1, -1):
        row = recent[place]
        if looked == len(met) or count == len(places):
            break
        if row < 0 or marks[row]:
            continue
        marks[row] = 1
        met[looked] = row
        looked += 1
        if not is_barred(at, row, bars):
            places[count] = place
            count += 1
    for row in met[:looked]:
        marks[row] = 0
    return places[:count]
