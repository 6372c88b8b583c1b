"""The catalogue of a release: which track is which row, and what a row is called."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.ids import artist_key_of, key_of

COLUMNS = {
    "track_id": pl.String,
    "title": pl.String,
    "artist": pl.String,
    "release": pl.String,
    "year": pl.Int32,
    "duration_ms": pl.Int64,
    "genre": pl.String,
    "popularity": pl.Float32,  # 1 for the most popular, falling; the order of the rows
    "listeners": pl.UInt32,
    "plays": pl.UInt32,
}


class DuplicateKey(ValueError):
    """Two tracks of one catalogue share a 64-bit key; the text names both."""


class Catalogue:
    """Tracks by row, most popular first. Columns as in COLUMNS; read only."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.track_ids: list[str] = frame["track_id"].to_list()
        self.titles: list[str] = frame["title"].to_list()
        self.artists: list[str] = frame["artist"].to_list()
        self.popularity: NDArray[np.float32] = frame["popularity"].to_numpy()
        self.keys: NDArray[np.int64] = np.array([key_of(track) for track in self.track_ids], dtype=np.int64)
        self.artist_keys: NDArray[np.int64] = np.array([artist_key_of(name) for name in self.artists], dtype=np.int64)
        self._order = np.argsort(self.keys)
        self._sorted = self.keys[self._order]

    def __len__(self) -> int:
        return len(self.track_ids)

    def rows_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each key, −1 for a track that this catalogue does not know."""
        if not len(self._sorted):
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)


def prove_distinct(track_ids: list[str]) -> None:
    """Raise DuplicateKey when two of the tracks share a key: such a catalogue must not be published."""
    seen: dict[int, str] = {}
    for track in track_ids:
        other = seen.setdefault(key_of(track), track)
        if other != track:
            raise DuplicateKey(f"tracks {other!r} and {track!r} share the key {key_of(track)}")
