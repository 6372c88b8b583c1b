"""What the listeners remember: what they played lately, what they love, what they never want to hear again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.settings import CrowdSettings

Ints = NDArray[np.int64]

LOVED = 64  # loved tracks a listener can think of


@dataclass
class Memory:
    """L listeners; rings of the newest plays and loves, oldest overwritten first."""

    recent: NDArray[np.int32]  # (L, M) tracks played and not skipped
    plays: Ints  # (L,) how many there have been
    loved: NDArray[np.int32]  # (L, LOVED)
    loves: Ints  # (L,)
    banned: Ints  # sorted listener · tracks + track
    busy_ms: Ints  # (L,) the end of the last session
    recency: NDArray[np.float64]  # (M + 1,) running weights of the gaps 1, 2, …; the first is 0
    tracks: int

    def go_back(self, listener: Ints, u: NDArray[np.float64]) -> Ints:
        """The track of an earlier play of each listener, for each u in [0, 1). u and the answer: (n, C).

        The play g plays ago has a chance in proportion to its recency weight (Anderson et al. 2014). What is answered
        for a listener without any plays has no meaning.
        """
        held = np.minimum(self.plays[listener], self.recent.shape[1])[:, None]
        target = u * self.recency[held]
        gap = np.minimum(np.searchsorted(self.recency, target, side="right"), np.maximum(held, 1))
        place = (self.plays[listener][:, None] - gap) % self.recent.shape[1]
        return np.asarray(self.recent[listener[:, None], place], np.int64)

    def a_loved(self, listener: Ints, u: NDArray[np.float64]) -> Ints:
        """One of each listener's loved tracks, for each u in [0, 1). (n,)."""
        held = np.minimum(self.loves[listener], LOVED)
        return np.asarray(self.loved[listener, (u * held).astype(np.int64)], np.int64)

    def is_banned(self, listener: Ints, track: Ints) -> NDArray[np.bool_]:
        """Whether each listener has banned each track. (n,)."""
        if not len(self.banned):
            return np.zeros(len(track), bool)
        key = listener * self.tracks + track
        place = np.minimum(np.searchsorted(self.banned, key), len(self.banned) - 1)
        return np.asarray(self.banned[place] == key)

    def is_loved(self, listener: Ints, track: Ints) -> NDArray[np.bool_]:
        """Whether each listener loves each track, as far as they can think. (n,)."""
        held = np.arange(LOVED) < self.loves[listener][:, None]
        return np.asarray(((self.loved[listener] == track[:, None]) & held).any(axis=1))

    def remember(self, listener: Ints, track: Ints, loved: NDArray[np.bool_]) -> None:
        """Take in plays that were not skipped; a listener's stand together, oldest first. All (n,)."""
        _push(self.recent, self.plays, listener, track)
        _push(self.loved, self.loves, listener[loved], track[loved])

    def ban(self, listener: Ints, track: Ints) -> None:
        """Never again. (n,)."""
        if len(track):
            self.banned = np.union1d(self.banned, listener * self.tracks + track)


def make_memory(settings: CrowdSettings, tracks: int) -> Memory:
    """Nothing heard yet. The weights are Anderson et al.'s power law with an exponential cut-off."""
    gap = np.arange(1, settings.memory + 1)
    weight = (gap + settings.recency_offset) ** -settings.recency_power * np.exp(-gap / settings.recency_cutoff)
    n = settings.listeners
    return Memory(
        recent=np.zeros((n, settings.memory), np.int32),
        plays=np.zeros(n, np.int64),
        loved=np.zeros((n, LOVED), np.int32),
        loves=np.zeros(n, np.int64),
        banned=np.empty(0, np.int64),
        busy_ms=np.zeros(n, np.int64),
        recency=np.concatenate(([0.0], np.cumsum(weight))),
        tracks=tracks,
    )


def _push(ring: NDArray[np.int32], count: Ints, listener: Ints, track: Ints) -> None:
    """Write each listener's tracks behind what stands in the ring."""
    if not len(listener):
        return
    starts = np.flatnonzero(np.concatenate(([True], listener[1:] != listener[:-1])))
    sizes = np.diff(np.concatenate((starts, [len(listener)])))
    rank = np.arange(len(listener)) - np.repeat(starts, sizes)
    ring[listener, (count[listener] + rank) % ring.shape[1]] = track
    count[listener[starts]] += sizes
