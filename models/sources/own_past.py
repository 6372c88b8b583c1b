"""What a listener's own past says of what they play next: what followed, what stood around, which sessions were alike.

The signals of models.sources.signals that need no release, of one listener's plays in the order of their time.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.scratch import Scratch
from models.sources.base import Listener, Rows
from models.sources.sparse import NONE, Keys, Sparse, ranked, take_out

WINDOW = 10  # plays looked back, and ahead
AROUND = 8  # plays looked at before and after an earlier occurrence
SESSION_S = 7_200  # what came later than this did not follow
OCCURRENCES = 60  # newest ones of a track in the listener's own past
HALF_LIFE_S = 60 * 86_400
SKIPPED = 0.5  # of what a play counts among what followed: what was skipped there is often played the next time
SOON = 3  # plays, of what came soon after the newest track
AROUND_FADE = 0.9  # from one play to the one before it
AROUND_BEND = 0.3  # a vote from d plays away counts 1/d^0.3
PAUSE_S = 1_800  # a pause this long begins a new session
SHORT = 5  # plays; a session of fewer is weighed as one of so many
LONGEST = 30  # newest plays of a session that others are compared with
ALIKE = 100  # sessions
ALIKE_HALF_LIFE_S = 90 * 86_400


class OwnPast(NamedTuple):
    """What earlier occurrences of the last ten plays vote for."""

    after: Sparse  # what came 1 … WINDOW plays after each
    pair: Sparse  # the same of the newest play, where the same track as now stood before it
    straight: Sparse  # the very next after the newest
    soon: Sparse  # the share of the newest's occurrences that it came after within SOON plays; twice counts twice
    around: Sparse  # what stood up to AROUND plays before or after each


Floats = NDArray[np.float64]
AFTER, PAIR, STRAIGHT, SOON_AFTER = range(4)

NOTHING_PAST = OwnPast(NONE, NONE, NONE, NONE, NONE)


def own_past(listener: Listener, scratch: Scratch) -> OwnPast:
    """What followed and what stood around in the listener's own past.

    For the k-th newest play (k = 0 the newest), each earlier occurrence p of its track votes. `after`: for what came
    d = k+1 … WINDOW plays after p, with 2^(−age/half-life) / (k+1) / (d−k), SKIPPED as much for what was skipped there.
    `around`: for what stood d plays away on either side, with AROUND_FADE^k · 2^(−age/half-life) / d^AROUND_BEND.
    """
    if not len(listener.recent):
        return NOTHING_PAST
    found = _own_past(listener.recent, listener.recent_times, listener.recent_played, *scratch)
    return OwnPast(*(Sparse(each, each) for each in found))


@compiled
def _own_past(
    recent: Rows, times: Rows, played: NDArray[np.bool_], sums: Floats, marks: NDArray[np.int32]
) -> tuple[Keys, Keys, Keys, Keys, Keys]:
    """The columns of OwnPast, best first."""
    at, back = _occurrences(recent, marks)
    faded = np.exp2((times[at] - times[-1]) / HALF_LIFE_S)
    after = [_followed(recent, times, played, at, back, faded, how, sums) for how in range(4)]  # compiled in only once
    after.append(_around(recent, times, at, back, faded, sums))
    each = [ranked(keys, len(keys)) for keys in after]
    return each[AFTER], each[PAIR], each[STRAIGHT], each[SOON_AFTER], each[-1]


@compiled
def _occurrences(recent: Rows, marks: NDArray[np.int32]) -> tuple[Rows, Rows]:
    """Where the newest OCCURRENCES earlier occurrences of each of the last WINDOW plays stand, and of which each is:
    k, 0 the newest.
    """
    size = len(recent)
    last = min(WINDOW, size)
    for back in range(last):  # a bit for each of the last plays
        if recent[size - 1 - back] >= 0:
            marks[recent[size - 1 - back]] |= 1 << back
    at, of = np.empty(WINDOW * OCCURRENCES, np.int64), np.empty(WINDOW * OCCURRENCES, np.int64)
    count, counts = 0, np.zeros(WINDOW, np.int64)
    for place in range(size - 2, -1, -1):
        if recent[place] < 0 or marks[recent[place]] == 0:
            continue
        for back in range(min(last, size - 1 - place)):
            if marks[recent[place]] >> back & 1 and counts[back] < OCCURRENCES:
                at[count], of[count] = place, back
                count += 1
                counts[back] += 1
    for back in range(last):
        if recent[size - 1 - back] >= 0:
            marks[recent[size - 1 - back]] = 0
    return at[:count], of[:count]


@compiled
def _followed(
    recent: Rows, times: Rows, played: NDArray[np.bool_], at: Rows, back: Rows, faded: Floats, how: int, sums: Floats
) -> Keys:
    """What came after the occurrences, as far as the present is from its own occurrence of the same track."""
    size = len(recent)
    touched, count = np.empty(len(at) * WINDOW, np.int64), 0
    newest = 0
    for each in range(len(at)):
        newest += back[each] == 0
    for each in range(len(at)):
        place, k = at[each], back[each]
        if how != AFTER and k > 0:
            continue
        if how == PAIR and (place == 0 or recent[size - 2] < 0 or recent[place - 1] != recent[size - 2]):
            continue
        most = 1 if how == STRAIGHT else SOON if how == SOON_AFTER else WINDOW
        for to in range(place + k + 1, min(place + most, size - k - 1) + 1):
            row = recent[to]
            if row < 0 or abs(times[to] - times[place]) >= SESSION_S:
                continue
            vote = faded[each] if played[to] else faded[each] * SKIPPED
            if how == SOON_AFTER:
                vote = 1.0 / newest
            elif how != STRAIGHT:
                vote = vote / (k + 1) / (to - place - k)
            if sums[row] == 0.0 and vote > 0.0:
                touched[count] = row
                count += 1
            sums[row] += vote
    return take_out(touched, count, sums)


@compiled
def _around(recent: Rows, times: Rows, at: Rows, back: Rows, faded: Floats, sums: Floats) -> Keys:
    """What stood within AROUND plays of the occurrences."""
    size = len(recent)
    touched, count = np.empty(len(at) * 2 * AROUND, np.int64), 0
    for each in range(len(at)):
        place, k = at[each], back[each]
        for to in range(max(0, place - AROUND), min(place + AROUND, size - k - 1) + 1):
            row = recent[to]
            if to == place or row < 0 or abs(times[to] - times[place]) >= SESSION_S:
                continue
            vote = AROUND_FADE**k * faded[each] * abs(to - place) ** -AROUND_BEND
            if sums[row] == 0.0 and vote > 0.0:
                touched[count] = row
                count += 1
            sums[row] += vote
    return take_out(touched, count, sums)


def alike(listener: Listener, scratch: Scratch, most: int = ALIKE) -> Sparse:
    """What the listener played in earlier sessions like the one they are in.

    A session ends with a pause of PAUSE_S. The last plays of this one (ten at least, LONGEST at most) are compared with
    each earlier one: Σ (1 + place)^−½ over the tracks in both, place 0 the newest, over √length, halved every 90 days.
    Each of the best `most` sessions votes with this for each of its tracks (VSKNN, Ludewig & Jannach 2018, within one's
    own past).
    """
    if len(listener.recent) < 2:
        return NONE
    found = _alike(listener.recent, listener.recent_times, most, *scratch)
    return Sparse(found, found)


@compiled
def _alike(recent: Rows, times: Rows, most: int, sums: Floats, marks: NDArray[np.int32]) -> Keys:
    begins, lengths, likeness = _likeness(recent, times, marks)
    best = np.argsort(-likeness, kind="mergesort")[:most]
    keys = _voted(recent, begins[best], lengths[best], likeness[best], sums, marks)
    return ranked(keys, len(keys))


@compiled
def session_start(times: Rows) -> int:
    """The place of the first play since the last pause; 0 without a play."""
    start = max(len(times) - 1, 0)
    while start > 0 and times[start] - times[start - 1] <= PAUSE_S:
        start -= 1
    return start


@compiled
def _likeness(recent: Rows, times: Rows, marks: NDArray[np.int32]) -> tuple[Rows, Rows, Floats]:
    """Where each session begins that has a track of the current one, how long it is, and how alike it is."""
    size, start = len(recent), session_start(times)
    current = min(max(size - start, WINDOW), LONGEST)
    end = max(0, size - current)  # where the past ends
    for place in range(end, size):  # the newest place of a track is the last one written
        if recent[place] >= 0:
            marks[recent[place]] = size - place
    begins, lengths, likeness = np.empty(end, np.int64), np.empty(end, np.int64), np.empty(end)
    count = 0
    begin, shared = 0, 0  # the session that is looked at, and a bit for each place of the current one that it has
    for place in range(end):
        if recent[place] >= 0 and marks[recent[place]]:
            shared |= 1 << (marks[recent[place]] - 1)
        if place + 1 == end or times[place + 1] - times[place] > PAUSE_S:
            if shared:
                both = 0.0
                for bit in range(LONGEST):
                    if shared >> bit & 1:
                        both += (1.0 + bit) ** -0.5
                length = place + 1 - begin
                faded = 2.0 ** ((times[begin] - times[size - 1]) / ALIKE_HALF_LIFE_S)
                begins[count], lengths[count] = begin, length
                likeness[count] = both * faded / np.sqrt(max(length, SHORT))
                count += 1
            begin, shared = place + 1, 0
    for place in range(end, size):
        if recent[place] >= 0:
            marks[recent[place]] = 0
    return begins[:count], lengths[:count], likeness[:count]


@compiled
def _voted(recent: Rows, begins: Rows, lengths: Rows, likeness: Floats, sums: Floats, marks: NDArray[np.int32]) -> Keys:
    """One vote of each session for each of its tracks."""
    touched, count = np.empty(lengths.sum(), np.int64), 0
    for session in range(len(begins)):
        for place in range(begins[session], begins[session] + lengths[session]):
            row = recent[place]
            if row < 0 or marks[row] == session + 1 or likeness[session] <= 0.0:
                continue
            marks[row] = session + 1
            if sums[row] == 0.0:
                touched[count] = row
                count += 1
            sums[row] += likeness[session]
    for each in range(count):
        marks[touched[each]] = 0
    return take_out(touched, count, sums)
