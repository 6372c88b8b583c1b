"""Features of where a candidate stands beside the newest play in the listener's past, each a column over candidates.

What the signals of models.sources.own_past sum up over all earlier occurrences, these tell of single ones: who plays a
list in its order goes on as the last time; who shuffles it does not. Each is 1/d of a distance in plays, 0 for none.
`marks` is a column of zeros as long as the catalogue, and is left so (models.scratch).
"""

import numpy as np

from models.compiled import compiled
from models.ranker.columns import Columns, Marks
from models.sources.base import Rows
from models.sources.own_past import SESSION_S

AHEAD = 10  # plays after an occurrence
OF_NEWEST = 3  # earlier occurrences of the newest track, each its own column …
OF_BEFORE = 2  # … and of the one before it, one column for both: the nearer counts
AFTER, BEFORE, MET, LAST = 0, 3, 4, 6  # columns: of MET and LAST two each, behind (it came later), then ahead (earlier)


@compiled
def of_steps(rows: Rows, recent: Rows, times: Rows, marks: Marks, found: Columns) -> None:
    """Fills `found`: how soon it came after the last, the second last and the third last earlier occurrence of the
    newest track; after one of the two last of the track before that; how far its first play stands behind (later
    than), and ahead of, that of the newest track; and its last play behind, and ahead of, the last earlier one of that.

    `recent`, `times`: what was heard, oldest first; −1 is a track that the release does not know.
    """
    size = len(recent)
    found[:] = 0.0
    if size < 2:
        return
    for at in range(len(rows)):
        marks[rows[at]] = at + 1
    newest, before = recent[size - 1], recent[size - 2]
    of_newest, of_before = 0, 0
    for place in range(size - 2, -1, -1):
        if of_newest == OF_NEWEST and of_before == OF_BEFORE:
            break
        if recent[place] < 0:
            continue
        if recent[place] == newest and of_newest < OF_NEWEST:
            _came_after(place, recent, times, marks, found[AFTER + of_newest])
            of_newest += 1
        if recent[place] == before and of_before < OF_BEFORE and place < size - 2:
            _came_after(place, recent, times, marks, found[BEFORE])
            of_before += 1
    if newest >= 0:
        _beside(len(rows), recent, marks, found)
    for row in rows:
        marks[row] = 0


@compiled
def _came_after(place: int, recent: Rows, times: Rows, marks: Marks, column: Columns) -> None:
    for to in range(place + 1, min(place + AHEAD, len(recent) - 1) + 1):
        if abs(times[to] - times[place]) >= SESSION_S:
            return
        if recent[to] >= 0 and marks[recent[to]]:
            at = marks[recent[to]] - 1
            column[at] = max(column[at], 1.0 / (to - place))


@compiled
def _beside(count: int, recent: Rows, marks: Marks, found: Columns) -> None:
    """The columns MET and LAST."""
    size, newest = len(recent), recent[-1]
    first, last = np.full(count, -1), np.full(count, -1)
    met, again = -1, -1
    for place in range(size):
        row = recent[place]
        if row < 0:
            continue
        if row == newest:
            if met < 0:
                met = place
            if place < size - 1:
                again = place
        at = marks[row] - 1
        if at >= 0:
            if first[at] < 0:
                first[at] = place
            last[at] = place
    for at in range(count):
        if first[at] < 0:
            continue
        if first[at] != met:
            found[MET + (first[at] < met), at] = 1.0 / abs(first[at] - met)
        if again >= 0 and last[at] != again:
            found[LAST + (last[at] < again), at] = 1.0 / abs(last[at] - again)
