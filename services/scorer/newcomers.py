"""Tracks that were announced after the release in force was trained, put into its catalogue now and then.

No model knows them; they stand in the lists of those who have played them, and can be named there.
"""

import logging
from collections.abc import Callable

import numpy as np
import polars as pl
from msgspec.structs import asdict

from models.catalogue import COLUMNS
from models.ids import cached_key_of
from models.release import Release
from services.scorer.ports import Described, Tracks

DAY_MS = 86_400_000  # a training takes less: what was announced before it began is in the release, or did not describe
POLLS = 20  # at a turn, so that an import of a catalogue does not keep an announcement waiting

log = logging.getLogger(__name__)


class Newcomers:
    """Follows the `tracks` topic beside one release. For one thread."""

    def __init__(self, tracks: Tracks, every_s: float, most: int, clock: Callable[[], float]) -> None:
        """A catalogue grows at most every `every_s` seconds and by `most` tracks; `clock` gives seconds."""
        self._tracks, self._every_s, self._most, self._clock = tracks, every_s, most, clock
        self._release: Release | None = None
        self._found: dict[int, Described] = {}
        self._changes, self._settled, self._tried = 0, 0, -every_s
        self._told_full = False

    def begin(self, release: Release) -> None:
        """Another release is in force. Raises Transient."""
        self._release, self._found = None, {}
        self._changes, self._settled, self._tried = 0, 0, -self._every_s
        self._told_full = False
        self._tracks.begin(max(0, release.manifest.created_at - DAY_MS))
        self._release = release

    def hear(self) -> None:
        """See what was announced meanwhile. Raises Transient, Fatal."""
        release = self._release
        if release is None:
            return
        for _ in range(POLLS):
            told = self._tracks.poll()
            if not told:
                return
            self._look(release, told)

    def grown(self) -> tuple[Release, int] | None:
        """The release with all newcomers, and how many they are; None: there is nothing new yet.

        Says so again until `settle` is called, but not sooner than `every_s` after the last time. Raises what
        Release.with_tracks does.
        """
        release = self._release
        if release is None or self._changes == self._settled or self._clock() - self._tried < self._every_s:
            return None
        self._tried = self._clock()
        columns = {name: kind for name, kind in COLUMNS.items() if name in Described.__struct_fields__}
        return release.with_tracks(pl.DataFrame(map(asdict, self._found.values()), schema=columns)), len(self._found)

    def settle(self) -> None:
        """What `grown` gave last is in force."""
        self._settled = self._changes

    def _full(self, track_id: str) -> None:
        """Say so once a release: an import of a catalogue may bring a million more."""
        if not self._told_full:
            self._told_full = True
            log.warning(
                "%d newcomers are in the catalogue; %s and all after it wait for the next release "
                "(SEGUE_SCORER_NEW_TRACKS)", self._most, track_id,
            )  # fmt: skip

    def _look(self, release: Release, told: list[tuple[str, Described | None]]) -> None:
        keys = np.array([cached_key_of(track) for track, _ in told], dtype=np.int64)
        for at in np.flatnonzero(release.catalogue.rows_of(keys) < 0).tolist():
            key, track = int(keys[at]), told[at][1]
            if track == self._found.get(key):
                continue
            if track is None:
                del self._found[key]
            elif key in self._found or len(self._found) < self._most:
                self._found[key] = track  # the newest description wins, as on the topic
            else:
                self._full(track.track_id)
                continue
            self._changes += 1
