"""The features of models.ranker.features that come of a listener's plays, each a column over the candidates.

`marks` is a column of zeros as long as the catalogue, and is left so (models.scratch).
"""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.sources.base import Rows
from models.sources.own_past import session_start
from models.sources.sparse import LOW, Keys

DAY_S, HOUR_S = 86_400, 3_600
NEVER_H = 50_000.0  # hours since something that never was
FAR = 100_000.0  # plays since something that never was
FADING = (0.5, 2.0, 4.0, 14.0, 60.0)  # days, of plays among the recent ones
HOUR_DAYS = 30.0  # half-life of plays at this time of day
MOST_DUE = 20.0
STEPS = 5  # newest plays, of how well the listener keeps to their own past
CONTEXT = 30  # newest plays, of how much is repeated
LATEST = 10
SIEVE = 1 << 14  # a power of two

Columns = NDArray[np.float32]  # (features, candidates)
Marks = NDArray[np.int32]
Heard = tuple[Rows, Rows, NDArray[np.bool_]]  # rows, times in s, and whether played or skipped; oldest first


@compiled
def artists_at(rows: Rows, artists: Rows) -> Rows:
    """The artist of each row; of a track that the release does not know (−1) a number that no artist has, −1."""
    found = np.full(len(rows), -1)
    for at in range(len(rows)):
        if rows[at] >= 0:
            found[at] = artists[rows[at]]
    return found


@compiled
def of_signals(
    rows: Rows,
    named: tuple[Keys, ...],
    ranked: tuple[Keys, ...],
    missing: int,
    marks: Marks,
    scores: Columns,
    places: Columns,
) -> None:
    """Fills `scores` with what each signal says, `named`, and `places` with where each of `ranked` has the candidate;
    `missing`: nowhere.
    """
    bits = scores.view(np.int32)  # of 0.0: 0
    bits[:], places[:] = 0, missing
    near = np.zeros(SIEVE, np.bool_)  # small enough to be at hand: most rows are no candidates and stop here
    for at in range(len(rows)):
        marks[rows[at]] = at + 1
        near[rows[at] & (SIEVE - 1)] = True
    for which in range(len(named)):
        for key in named[which]:
            row = LOW - (key & LOW)
            if near[row & (SIEVE - 1)] and marks[row]:
                bits[which, marks[row] - 1] = key >> 32
    for which in range(len(ranked)):
        theirs = ranked[which]
        for each in range(len(theirs)):
            row = LOW - (theirs[each] & LOW)
            if near[row & (SIEVE - 1)] and marks[row]:
                places[which, marks[row] - 1] = each
    for row in rows:
        marks[row] = 0


@compiled
def of_recent(
    rows: Rows,
    recent: Rows,
    times: Rows,
    played: NDArray[np.bool_],
    newest: int,
    marks: Marks,
    found: Columns,
    due: Columns,
    session: Columns,
) -> None:
    """Fills `found`: plays faded by each of FADING, plays since it was last heard, plays of the last week, days that it
    was played on, plays at this time of day, plays and hours since it was first heard, and plays from one time to the
    next; then how due it is, and whether it was heard since the last pause.
    """
    size, count = len(recent), len(rows)
    hour = newest // HOUR_S % 24
    start = session_start(times)
    first, last = np.full(count, -1), np.full(count, -1)
    met, day = np.zeros(count, np.int64), np.full(count, -1)
    found[:], session[:] = 0.0, 0.0
    for at in range(count):
        marks[rows[at]] = at + 1
    for place in range(size):
        if recent[place] < 0 or marks[recent[place]] == 0:
            continue
        at = marks[recent[place]] - 1
        met[at] += 1
        last[at] = place
        if first[at] < 0:
            first[at] = place
        if place >= start:
            session[at] = 1.0
        if not played[place]:
            continue
        days = (newest - times[place]) / DAY_S
        for which in range(5):
            found[which, at] += np.exp2(-days / FADING[which])
        found[6, at] += days < 7.0
        if times[place] // DAY_S != day[at]:
            day[at] = times[place] // DAY_S
            found[7, at] += 1.0
        apart = abs(times[place] // HOUR_S % 24 - hour)
        if min(apart, 24 - apart) <= 1:
            found[8, at] += np.exp2(-days / HOUR_DAYS)
    for at in range(count):
        marks[rows[at]] = 0
        if first[at] < 0:
            found[5, at], found[9, at], found[10, at], due[at] = FAR, FAR, NEVER_H, 0.0
            continue
        back, every = size - last[at], (last[at] - first[at]) / max(met[at] - 1, 1)
        found[5, at] = back
        found[9, at] = size - first[at]
        found[10, at] = (newest - times[first[at]]) / HOUR_S
        found[11, at] = every
        due[at] = min(back / max(every, 1.0), MOST_DUE) if every > 0 else 0.0


@compiled
def of_own(
    rows: Rows,
    own: Rows,
    weights: NDArray[np.float64],
    plays: Rows,
    skips: Rows,
    lasts: Rows,
    newest: int,
    marks: Marks,
    found: Columns,
    skip_rate: Columns,
) -> None:
    """Fills `found`: the profile's weight, plays, skips and hours since it was last played; and the share of skips."""
    for each in range(len(own)):
        marks[own[each]] = each + 1
    for at in range(len(rows)):
        each = marks[rows[at]] - 1
        if each < 0:
            found[0, at], found[1, at], found[2, at], found[3, at], skip_rate[at] = 0.0, 0.0, 0.0, NEVER_H, 0.0
            continue
        found[0, at] = max(weights[each], 0.0)
        found[1, at] = plays[each]
        found[2, at] = skips[each]
        found[3, at] = (newest - lasts[each]) / HOUR_S
        skip_rate[at] = skips[each] / (skips[each] + plays[each] + 1.0)
    for row in own:
        marks[row] = 0


@compiled
def of_artists(
    artists: Rows,
    own: Rows,
    weights: NDArray[np.float64],
    plays: Rows,
    skips: Rows,
    lasts: Rows,
    latest: Rows,
    newest: int,
    marks: Marks,
    found: Columns,
    others: Columns,
) -> None:
    """Fills `found`: of the candidate's artist the weight, the weight of the last two days, the tracks played and the
    hours since the last; `others`: the share of skips, whether it is the newest play's artist, its share of `latest`.

    `artists`, of the candidates; `own`, of the listener's tracks; `latest`, of the newest plays, newest first.
    """
    sums = np.zeros((6, len(own)))  # weight, of two days, tracks, plays, skips, last played
    known = 0
    for each in range(len(own)):
        if marks[own[each]] == 0:
            known += 1
            marks[own[each]] = known
        artist = marks[own[each]] - 1
        weight = max(weights[each], 0.0)
        days = (newest - lasts[each]) / DAY_S
        sums[0, artist] += weight
        sums[1, artist] += weight * np.exp2(-days * (1 / 2.0 - 1 / 14.0))
        sums[2, artist] += plays[each] > 0
        sums[3, artist] += plays[each]
        sums[4, artist] += skips[each]
        sums[5, artist] = max(sums[5, artist], lasts[each])
    for at in range(len(artists)):
        artist = marks[artists[at]] - 1
        found[0, at], found[1, at], found[2, at], found[3, at], others[0, at] = 0.0, 0.0, 0.0, NEVER_H, 0.0
        if artist >= 0:
            found[0, at], found[1, at], found[2, at] = sums[0, artist], sums[1, artist], sums[2, artist]
            found[3, at] = (newest - sums[5, artist]) / HOUR_S
            others[0, at] = sums[4, artist] / (sums[3, artist] + sums[4, artist] + 1.0)
        times = 0
        for other in latest:
            times += other == artists[at]
        others[1, at] = len(latest) > 0 and latest[0] == artists[at]
        others[2, at] = times / len(latest) if len(latest) else 0.0
    for each in range(len(own)):
        marks[own[each]] = 0


@compiled
def of_context(
    recent: Rows, times: Rows, played: NDArray[np.bool_], latest: Rows, marks: Marks
) -> tuple[float, float, float, float, float, float, float, float]:
    """How well the newest play, and the newest STEPS, follow what followed the play before them earlier; the share of
    the `latest` artists (newest first) that follow themselves, of the last CONTEXT plays that were heard before these,
    and of the last LATEST that were skipped; whether the newest was; plays at hand, and since the last pause.

    A track that the release does not know is like no other.
    """
    size, start = len(recent), session_start(times)
    if size < 2:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, float(size), float(size)
    going, straight = 0.0, 0.0
    steps = min(STEPS, size - 1)
    for back in range(1, steps + 1):
        before, then = recent[size - 1 - back], recent[size - back]
        met, followed = 0, 0
        if before >= 0 and then >= 0:
            for place in range(size - 1 - back):
                if recent[place] == before:
                    met += 1
                    followed += recent[place + 1] == then
        going += followed / (met + 1.0)
        if back == 1:
            straight = going
    same = 0
    for at in range(1, len(latest)):
        same += latest[at] == latest[at - 1] and latest[at] >= 0
    repeated = _repeated(recent, max(0, size - CONTEXT), marks)
    skipped = 0
    for place in range(max(0, size - LATEST), size):
        skipped += not played[place]
    return (
        straight,
        going / steps,
        same / (len(latest) - 1.0),
        repeated / min(CONTEXT, size),
        skipped / min(LATEST, size),
        0.0 if played[size - 1] else 1.0,
        float(size),
        float(size - start),
    )


@compiled
def _repeated(recent: Rows, start: int, marks: Marks) -> int:
    """How many plays from `start` on are of a track that was heard before it."""
    for place in range(start):
        if recent[place] >= 0:
            marks[recent[place]] = 1
    repeated = 0
    for place in range(start, len(recent)):
        repeated += recent[place] >= 0 and marks[recent[place]] == 1
    for place in range(start):
        if recent[place] >= 0:
            marks[recent[place]] = 0
    return repeated
