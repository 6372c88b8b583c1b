"""Features of how steadily a track, and its artist, has been played of late, each a column over the candidates.

A sum of faded plays does not tell ten plays in one evening from one a day: what is played on many days comes back.
`marks` and `sums` are columns of zeros as long as the catalogue, and are left so (models.scratch).
"""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.ranker.columns import DAY_S, Columns, Marks
from models.sources.base import Rows

TRACK_DAYS = (14, 28, 112)  # days on which the track was played, among the last so many
BUSIEST = 28  # days, of the most plays on one of them
SKIPPED = (7, 28)
ARTIST = (7, 28)  # days, of plays of the artist, and (the first) of their tracks that were played


@compiled
def of_track(
    rows: Rows, recent: Rows, times: Rows, played: NDArray[np.bool_], newest: int, marks: Marks, found: Columns
) -> None:
    """Fills `found`: days it was played on of each of TRACK_DAYS, most plays a day, skips of each of SKIPPED.

    `recent`, `times`, `played`: what was heard, oldest first.
    """
    found[:] = 0.0
    day, plays = np.full(len(rows), -1), np.zeros(len(rows))
    for at in range(len(rows)):
        marks[rows[at]] = at + 1
    for place in range(len(recent) - 1, -1, -1):
        days = (newest - times[place]) / DAY_S
        if days >= TRACK_DAYS[2]:
            break
        if recent[place] < 0 or marks[recent[place]] == 0:
            continue
        at = marks[recent[place]] - 1
        if not played[place]:
            for which in range(2):
                found[4 + which, at] += days < SKIPPED[which]
            continue
        if times[place] // DAY_S != day[at]:
            day[at], plays[at] = times[place] // DAY_S, 0.0
            for which in range(3):
                found[which, at] += days < TRACK_DAYS[which]
        plays[at] += 1.0
        if days < BUSIEST:
            found[3, at] = max(found[3, at], plays[at])
    for row in rows:
        marks[row] = 0


@compiled
def of_artist(
    artists: Rows,
    artist_of: Rows,
    recent: Rows,
    times: Rows,
    played: NDArray[np.bool_],
    newest: int,
    marks: Marks,
    sums: NDArray[np.float64],
    found: Columns,
) -> None:
    """Fills `found`: plays of the candidate's artist in each of ARTIST, and their tracks played in the first of these.

    `artists`, of the candidates; `artist_of`, of each row of the catalogue.
    """
    known, totals = 0, np.zeros((3, len(artists)))
    for artist in artists:
        if marks[artist] == 0:
            known += 1
            marks[artist] = known
    for place in range(len(recent) - 1, -1, -1):
        days = (newest - times[place]) / DAY_S
        if days >= ARTIST[1]:
            break
        if recent[place] < 0 or not played[place] or marks[artist_of[recent[place]]] == 0:
            continue
        at = marks[artist_of[recent[place]]] - 1
        totals[1, at] += 1.0
        if days < ARTIST[0]:
            totals[0, at] += 1.0
            totals[2, at] += sums[recent[place]] == 0.0
            sums[recent[place]] = 1.0
    for at in range(len(artists)):
        found[:, at] = totals[:, marks[artists[at]] - 1]
    for artist in artists:
        marks[artist] = 0
    for place in range(len(recent) - 1, -1, -1):
        if (newest - times[place]) / DAY_S >= ARTIST[0]:
            break
        if recent[place] >= 0:
            sums[recent[place]] = 0.0
