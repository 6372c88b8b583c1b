"""What is asked and what would have been right: windows, relevant tracks, the plays to guess.

weekly  One-week windows at the end of the log. Before a window's start all is history; relevant are the distinct tracks
        played in the week. Asked for are lists of the listeners who played anything before it.
next    At a seeded share of the plays of these weeks: was that track in the list made from all before it?
"""

from typing import NamedTuple

import numpy as np
from msgspec import Struct

from models.evaluation.log import PLAY_MS, Flags, Log, Numbers

DAY = 86_400
WEEK = 7 * DAY
SEED = 20_260_107
MIN_RELEVANT = 5  # tracks in the week; who played fewer is not judged
MIN_OF_KIND = 3  # relevant tracks of one kind (Rep, Exp, Unseen)
MEASURED = 100  # ranks that weekly lists are judged on …
DEPTH = 300  # … of each kind: a list runs on for 100 known tracks, 100 skipped ones and 100 unseen ones
NEXT = 20  # ranks that a play must be found in


class NothingToJudge(ValueError):
    """A log in which nobody can be asked anything; the text says why."""


class Protocol(Struct, frozen=True):
    """Which weeks, and how much of them."""

    weeks: int = 4
    skip: int = 0  # leave out so many weeks at the end: tune on the ones before, judge on the last
    share: float = 0.08  # of the plays to guess
    stale_hours: tuple[int, ...] = (1, 24)  # also guess from profiles that are so old


class Window(NamedTuple):
    """[start, end) in seconds."""

    start: int
    end: int


class Weekly(NamedTuple):
    """One window: whom to ask (listeners, rising), and who played what in it (parallel, by listener)."""

    window: Window
    asked: Numbers
    users: Numbers
    items: Numbers

    def wanted(self, user: int) -> Numbers:
        """The distinct tracks that a listener played in the window."""
        return self.items[slice(*np.searchsorted(self.users, (user, user + 1)))]

    @property
    def judged(self) -> Numbers:
        """Listeners with enough relevant tracks, rising; one who was not asked has no list and scores 0."""
        users, counts = np.unique(self.users, return_counts=True)
        return users[counts >= MIN_RELEVANT]


class Next(NamedTuple):
    """The plays to guess, parallel, by time: who, when, what, and had they played it before?"""

    users: Numbers
    moments: Numbers
    items: Numbers
    repeat: Flags

    def where(self, kept: Flags | Numbers) -> "Next":
        """Some of them."""
        return Next(self.users[kept], self.moments[kept], self.items[kept], self.repeat[kept])


def windows(log: Log, protocol: Protocol) -> list[Window]:
    """The last `weeks` windows but `skip`, oldest first. The last one ends with the log's newest listen."""
    end = log.newest + 1 - protocol.skip * WEEK
    return [Window(end - back * WEEK, end - (back - 1) * WEEK) for back in range(protocol.weeks, 0, -1)]


def weekly(log: Log, window: Window) -> Weekly:
    """Who is asked, and what is right, in one window."""
    before = log.played & (log.seconds < window.start)
    inside = log.played & (log.seconds >= window.start) & (log.seconds < window.end)
    pairs = np.unique(np.stack((log.users[inside], log.items[inside])), axis=1)
    return Weekly(window, np.unique(log.users[before]), pairs[0], pairs[1])


def next_plays(log: Log, protocol: Protocol) -> Next:
    """The drawn plays of all windows. Plays of one listener in one second are left out: neither comes before the other.

    The draw is over all plays of these weeks by (second, listener), the same whoever asks.
    """
    spans = windows(log, protocol)
    return guesses(log, Window(spans[0].start, spans[-1].end), protocol.share, SEED + protocol.skip)


def guesses(log: Log, span: Window, share: float, seed: int) -> Next:
    """The same of any span of time."""
    order = np.lexsort((log.users, log.seconds))
    order = order[log.played[order]]
    users, moments, items = log.users[order], log.seconds[order], log.items[order]
    repeat = _had_before(users, items, moments)
    inside = (moments >= span.start) & (moments < span.end)
    users, moments, items, repeat = users[inside], moments[inside], items[inside], repeat[inside]
    drawn = np.random.default_rng(seed).random(len(users)) < share
    same = np.zeros(len(users), dtype=bool)
    twin = (np.diff(users) == 0) & (np.diff(moments) == 0)
    same[1:] |= twin
    same[:-1] |= twin
    return Next(users, moments, items, repeat).where(drawn & ~same)


def _had_before(users: Numbers, items: Numbers, moments: Numbers) -> Flags:
    """Whether the listener had played that track at an earlier second; columns by time."""
    if not len(users):
        return np.empty(0, dtype=bool)
    pairs = users * (items.max() + 1) + items
    _, first, pair = np.unique(pairs, return_index=True, return_inverse=True)
    had: Flags = moments[first][pair] < moments
    return had


def prove(log: Log, protocol: Protocol) -> None:
    """Raise NothingToJudge when no listener of any window can be judged."""
    spans = windows(log, protocol)
    if any(len(np.intersect1d(each.asked, each.judged)) for each in (weekly(log, span) for span in spans)):
        return
    days = (log.newest + 1 - int(log.seconds.min())) / DAY if len(log.seconds) else 0.0
    raise NothingToJudge(
        f"nobody can be judged in the last {protocol.weeks} weeks (after leaving out {protocol.skip}) of a log of "
        f"{days:.1f} days: a listener needs a play of {PLAY_MS // 1000} s before a week and {MIN_RELEVANT} different "
        "tracks in it; give a longer log, or fewer --weeks"
    )
