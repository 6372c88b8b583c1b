"""What a listener's own past says of what they play next: what followed, what stood around, which sessions were alike.

The signals of models.sources.signals that need no release, of one listener's plays in the order of their time.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.sources.base import Listener, Rows
from models.sources.sparse import NONE, Sparse, summed

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
    soon: (
        Sparse  # the share of the newest's occurrences that it came after within SOON plays; coming twice counts twice
    )
    around: Sparse  # what stood up to AROUND plays before or after each


NOTHING_PAST = OwnPast(NONE, NONE, NONE, NONE, NONE)


def own_past(listener: Listener) -> OwnPast:
    """What followed and what stood around in the listener's own past.

    For the k-th newest play (k = 0 the newest), each earlier occurrence p of its track votes. `after`: for what came
    d = k+1 … WINDOW plays after p, with 2^(−age/half-life) / (k+1) / (d−k), SKIPPED as much for what was skipped there.
    `around`: for what stood d plays away on either side, with AROUND_FADE^k · 2^(−age/half-life) / d^AROUND_BEND.
    """
    recent, times, played = listener.recent, listener.recent_times, listener.recent_played
    size = len(recent)
    back, at = _occurrences(recent)
    if not len(at):
        return NOTHING_PAST
    ahead = np.concatenate((np.arange(-AROUND, 0), np.arange(1, WINDOW + 1)))
    back, at = back[:, None], at[:, None]
    to = at + ahead
    there = (to >= 0) & (to < size - back)
    to = np.clip(to, 0, size - 1)
    there &= (np.abs(times[to] - times[at]) < SESSION_S) & (recent[to] >= 0)
    faded = np.exp2((times[at] - times[-1]) / HALF_LIFE_S)
    around = there & (ahead <= AROUND)
    near = summed(recent[to[around]], (AROUND_FADE**back * faded * np.abs(ahead) ** -AROUND_BEND)[around])
    # From here on only what came after, as far as the present is from its own occurrence of the same track.
    to, there, ahead = to[:, AROUND:], there[:, AROUND:], ahead[AROUND:]
    later = there & (ahead > back)
    faded = faded * np.where(played[to], 1.0, SKIPPED)
    votes = faded / (back + 1) / np.maximum(ahead - back, 1)
    newest = later & (back == 0)
    both = newest & (at > 0) & (recent[at - 1] == recent[-2]) & (recent[-2] >= 0)
    next_ = newest & (ahead == 1)
    soon = newest & (ahead <= SOON)
    share = np.full(int(soon.sum()), 1.0 / max(1, int((back == 0).sum())))
    return OwnPast(
        summed(recent[to[later]], votes[later]),
        summed(recent[to[both]], votes[both]),
        summed(recent[to[next_]], faded[next_]),
        summed(recent[to[soon]], share),
        near,
    )


def _occurrences(recent: Rows) -> tuple[Rows, Rows]:
    """(k, position) of the newest OCCURRENCES earlier occurrences of each of the last plays, k-th newest by k."""
    size = len(recent)
    last = recent[: size - WINDOW - 1 : -1] if size > WINDOW else recent[:0:-1]  # the oldest play of all has no past
    back, at = np.nonzero(last[:, None] == recent[None, :])
    kept = (at < size - 1 - back) & (last[back] >= 0)
    back, at = back[kept], at[kept]
    ends = np.searchsorted(back, back, side="right")
    kept = ends - np.arange(len(back)) <= OCCURRENCES
    return back[kept], at[kept]


def session_starts(times: Rows) -> Rows:
    """Where each session begins, the first at 0; `times` in their order, s."""
    return np.concatenate(([0], np.flatnonzero(np.diff(times) > PAUSE_S) + 1))


def alike(listener: Listener) -> Sparse:
    """What the listener played in earlier sessions like the one they are in.

    A session ends with a pause of PAUSE_S. The last plays of this one (ten at least, LONGEST at most) are compared with
    each earlier one: Σ (1 + place)^−½ over the tracks in both, place 0 the newest, over √length, halved every 90 days.
    Each of the best ALIKE sessions votes with this for each of its tracks (VSKNN, Ludewig & Jannach 2018, within one's
    own past).
    """
    recent, times = listener.recent, listener.recent_times
    size = len(recent)
    if size < 2:
        return NONE
    starts = session_starts(times)
    current = min(max(size - int(starts[-1]), WINDOW), LONGEST)
    end = max(0, size - current)  # where the past ends
    place = _places(recent, recent[end:][::-1])
    found = place[recent[:end]]
    at = np.flatnonzero(found >= 0)
    if not len(at):
        return NONE
    of = np.searchsorted(starts, at, side="right") - 1
    shared = np.unique(of * np.int64(LONGEST) + found[at])  # a track counts once in a session
    sessions, of = np.unique(shared // LONGEST, return_inverse=True)
    both = np.bincount(of, (1.0 + shared % LONGEST) ** -0.5, len(sessions))
    begins = starts[sessions]
    lengths = np.minimum(np.append(starts, size)[sessions + 1], end) - begins
    faded = np.exp2((times[begins] - times[-1]) / ALIKE_HALF_LIFE_S)
    likeness: NDArray[np.float64] = both * faded / np.sqrt(np.maximum(lengths, SHORT))
    best = np.argsort(-likeness, kind="stable")[:ALIKE]
    return _voted(recent, begins[best], lengths[best], likeness[best])


def _voted(recent: Rows, begins: Rows, lengths: Rows, likeness: NDArray[np.float64]) -> Sparse:
    """One vote of each session for each of its tracks."""
    of = np.repeat(np.arange(len(begins)), lengths)
    rows = recent[begins[of] + np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)]
    known = rows >= 0
    votes = np.unique(of[known] << 32 | rows[known])
    return summed(votes & 0xFFFFFFFF, likeness[votes >> 32])


def _places(recent: Rows, newest: Rows) -> NDArray[np.int64]:
    """By row, the first place among `newest` (newest first); −1: not there, as is a row of −1 at the end."""
    places = np.full(int(recent.max()) + 2, -1, dtype=np.int64)
    places[newest[::-1]] = np.arange(len(newest))[::-1]
    places[-1] = -1
    return places
