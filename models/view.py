"""A profile's bytes as a scorer reads them."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.flat import Flat
from models.layout import HOURS, ProfileBytes
from models.plays import Column, Numbers


class ProfileView(ProfileBytes):
    """A profile's bytes as numpy columns: what a scorer reads. Raises BadProfile.

    `tracks` (short keys), `weights`, `steps`, `lasts`, `track_plays`, `track_skips` are parallel, as are `places` (of
    tracks), `recent` (their keys), `recent_times`, `recent_played` (oldest first), and before them `past` (the first 32
    bits of keys), `past_times`, `past_played`. Weights: models.taste.UNIT to a play, each as of its step. Of many
    profiles models.flat.Flat reads all but the past faster.
    """

    @cached_property
    def _flat(self) -> Flat:
        return Flat([self])

    @cached_property
    def tracks(self) -> Numbers:
        """Short keys."""
        return self._flat.keys

    @property
    def steps(self) -> Numbers:
        """s: as of when each weight is."""
        return self._flat.steps

    @property
    def lasts(self) -> Numbers:
        """s: when each track was met last, to a tick; to a step where that is older than the latest plays."""
        return self._flat.lasts

    @property
    def track_plays(self) -> Numbers:
        """Of each track."""
        return self._flat.plays

    @property
    def track_skips(self) -> Numbers:
        """Of each track."""
        return self._flat.skips

    @property
    def places(self) -> Numbers:
        """Of the latest plays' tracks, among `tracks`."""
        return self._flat.places

    @property
    def recent(self) -> Numbers:
        """The short keys of the latest plays' tracks."""
        return self.tracks[self._flat.places]

    @property
    def recent_times(self) -> Numbers:
        """s, to a tick."""
        return self._flat.times

    @property
    def recent_played(self) -> NDArray[np.bool_]:
        """Whether each was played; else it was skipped."""
        played: NDArray[np.bool_] = self._flat.skipped == 0
        return played

    @property
    def past(self) -> Column:
        """The first 32 bits of keys."""
        return self._past(0)

    @property
    def past_times(self) -> Numbers:
        """s, to a tick."""
        return (self._past(1) & ~np.uint32(1)).astype(np.int64)

    @property
    def past_played(self) -> NDArray[np.bool_]:
        """Whether each was played; else it was skipped."""
        return (self._past(1) & np.uint32(1)).astype(bool)

    def _past(self, which: int) -> Column:
        return np.empty(0, np.uint32) if self.segments is None else self.segments[:, which].ravel()

    @property
    def plays(self) -> int:
        """In all."""
        return self.shape.plays - int(self._flat.skipped.sum()) if self.whole else self.counts()[0]

    @property
    def skips(self) -> int:
        """In all."""
        return int(self._flat.skipped.sum()) if self.whole else self.counts()[1]

    @property
    def hours(self) -> list[int]:
        """Plays by hour of day, UTC."""
        if not self.whole:
            return self.counts()[2]
        hours = self.recent_times[self.recent_played] // 3600 % HOURS
        found: list[int] = np.bincount(hours, minlength=HOURS).tolist()
        return found
