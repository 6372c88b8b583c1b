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
        self._grew = (0, -every_s)  # by how many tracks, when

    def begin(self, release: Release) -> None:
        """Another release is in force. Raises Transient."""
        self._release, self._found, self._grew = None, {}, (0, -self._every_s)
        self._tracks.begin(max(0, release.manifest.created_at - DAY_MS))
        self._release = release

    def grown(self) -> tuple[Release, int] | None:
        """The release with all newcomers, and how many they are; None: there is nothing new yet. Raises Transient."""
        release = self._release
        if release is None:
            return None
        for _ in range(POLLS if len(self._found) < self._most else 0):
            described = self._tracks.poll()
            if not described:
                break
            self._look(release, described)
        count, at = self._grew
        if len(self._found) == count or self._clock() - at < self._every_s:
            return None
        self._grew = len(self._found), self._clock()
        columns = {name: kind for name, kind in COLUMNS.items() if name in Described.__struct_fields__}
        return release.with_tracks(pl.DataFrame(map(asdict, self._found.values()), schema=columns)), len(self._found)

    def _look(self, release: Release, described: list[Described]) -> None:
        keys = np.array([cached_key_of(each.track_id) for each in described], dtype=np.int64)
        for at in np.flatnonzero(release.catalogue.rows_of(keys) < 0).tolist():
            key = int(keys[at])
            if len(self._found) == self._most:
                log.warning("%d newcomers are in the catalogue; more wait for the next release", self._most)
                return
            self._found.setdefault(key, described[at])  # a catalogue in force does not change what it calls a track
