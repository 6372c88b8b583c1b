"""The catalogue of a release: which track is which row, and what a row is called."""

from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.ids import SHORT, artist_key_of, key_of
from models.profile import PREFIX

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
    "skips": pl.UInt32,
    "recent_listeners": pl.UInt32,  # who played it to its merit in the last models.popular.RECENT_DAYS
}

# Not in releases of earlier versions: when somebody first played it to its merit, s since epoch; 0: nobody has.
OPTIONAL = {"first_heard": pl.Int64}

# Where the release knows words: how the song feels, −1 to 1; null: no lyrics, or not in English.
SENTIMENT = "sentiment"

UNHEARD = {
    name: pl.lit(0, kind) for name, kind in {**COLUMNS, **OPTIONAL}.items()
    if name in ("popularity", "listeners", "plays", "skips", "recent_listeners", *OPTIONAL)
}  # fmt: skip
NO_LISTENS = pl.DataFrame(schema={"track_id": pl.String, "artist": pl.String, "duration_ms": pl.Int64})

_DESCRIBED = ("track_id", "title", "artist", "release", "year", "duration_ms", "genre")


UNKNOWN_ARTIST = "[unknown]"  # MusicBrainz's name for it: `Track` must have one; here it is ""


class DuplicateKey(ValueError):
    """Two tracks of one catalogue share a 64-bit key; the text names both."""


class Catalogue:
    """Tracks by row, most popular first. Columns as in COLUMNS; read only."""

    def __init__(self, frame: pl.DataFrame, trained: int | None = None, keys: NDArray[np.int64] | None = None) -> None:
        """The first `trained` rows (none said: all) are those that the models were trained with.

        `keys`: as from `keys_of` this frame, for those who cannot wait until they are worked out. Raises ValueError
        where they cannot be that.
        """
        if keys is None:
            keys = keys_of(frame)
        elif keys.dtype != np.int64 or keys.shape != (2, frame.height):
            raise ValueError(f"keys that are {keys.dtype} {keys.shape} of {frame.height} tracks")
        self.frame = frame
        self.trained = frame.height if trained is None else trained
        self.track_ids: list[str] = frame["track_id"].to_list()
        self.titles: list[str] = frame["title"].to_list()
        self.artists: list[str] = frame["artist"].to_list()
        self.popularity: NDArray[np.float32] = frame["popularity"].to_numpy()
        self.keys, self.artist_keys = keys
        self._order = np.argsort(self.keys)
        self._sorted = np.append(self.keys[self._order], np.iinfo(np.int64).max)
        # Keys are even over their 63 bits: the first ones tell nearly where a key stands, in fewer steps than halving.
        bits = max(1, len(self.keys).bit_length() + 1)
        self._shift = 63 - bits
        self._starts = np.searchsorted(self._sorted[:-1], np.arange((1 << bits) + 1, dtype=np.uint64) << self._shift)
        self._steps = int(np.diff(self._starts).max())

    def __len__(self) -> int:
        return len(self.track_ids)

    def with_tracks(self, tracks: pl.DataFrame) -> "Catalogue":
        """These and, in rows behind them, those of `tracks` that are not among them, played by nobody yet.

        `tracks`: track_id and any of the columns that describe one. A track whose key another one has is left out: two
        tracks of one key would be one to a profile.
        """
        unsaid = pl.lit(None, pl.Float32).alias(SENTIMENT)
        described = describe(NO_LISTENS, tracks).with_columns(unsaid, **UNHEARD).select(self.frame.columns)
        found = keys_of(described)
        _, first = np.unique(found[0], return_index=True)
        new = np.sort(first[~np.isin(found[0, first], self.keys)])
        keys = np.concatenate(((self.keys, self.artist_keys), found[:, new]), axis=1)
        return Catalogue(pl.concat([self.frame, described[new]]), self.trained, keys)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each track id."""
        return {track: row for row, track in enumerate(self.track_ids)}

    def rows_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each key, −1 for a track that this catalogue does not know."""
        return self._rows(keys, 0)

    def rows_of_short(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of the first track with each short key (models.ids.short), −1 for none."""
        return self._rows(keys, SHORT)

    def rows_of_prefixes(self, prefixes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The row of the first track whose key begins so, −1 for none.

        Of n tracks n²/2³³ share one: 6 of 230,000, 6 in a thousand of 50 million.
        """
        return self._rows(prefixes.astype(np.int64) << PREFIX, PREFIX)

    def _rows(self, keys: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
        """The rows of the first keys that are at least `keys` and differ from them in the last `bits` bits only."""
        if not len(self._order):
            return np.full(len(keys), -1, dtype=np.int64)
        at = self._starts[keys >> self._shift]
        for _ in range(self._steps):
            at += self._sorted[at] < keys
        found = (self._sorted[at] >> bits == keys >> bits) & (at < len(self._order))
        return np.where(found, self._order[np.minimum(at, len(self._order) - 1)], -1)


def describe(listens: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """What is known of every track there is: (track_id, title, artist, release, year, duration_ms, genre).

    `tracks` has `track_id` and any of the others, each track once. A track that was listened to but is not among them
    is called by its id, its artist and length being what its newest listens say, "" where they do not.
    """
    missing = [pl.lit(None).cast(COLUMNS[name]).alias(name) for name in _DESCRIBED if name not in tracks.columns]
    described = tracks.with_columns(missing).select(pl.col(name).cast(COLUMNS[name]) for name in _DESCRIBED)
    heard = listens.group_by("track_id", maintain_order=True).agg(
        artist=pl.col("artist").drop_nulls().last(), duration_ms=pl.col("duration_ms").drop_nulls().last()
    )
    undescribed = heard.join(described, on="track_id", how="anti").with_columns(title=pl.col("track_id"))
    return pl.concat([described, undescribed], how="diagonal").with_columns(
        pl.col("title").fill_null(pl.col("track_id")), pl.col("artist").fill_null("").replace(UNKNOWN_ARTIST, "")
    )


def keys_of(frame: pl.DataFrame) -> NDArray[np.int64]:
    """(2, tracks): the key of each track and that of its artist."""
    keys = [key_of(track) for track in frame["track_id"].to_list()]
    # An unknown artist is "": such tracks are not all one artist's, so each stands for itself.
    artists = [artist_key_of(name) if name else key for name, key in zip(frame["artist"].to_list(), keys, strict=True)]
    return np.array((keys, artists), dtype=np.int64)


def prove_distinct(track_ids: list[str]) -> None:
    """Raise DuplicateKey when two of the tracks share a key: such a catalogue must not be published."""
    seen: dict[int, str] = {}
    for track in track_ids:
        other = seen.setdefault(key_of(track), track)
        if other != track:
            raise DuplicateKey(f"tracks {other!r} and {track!r} share the key {key_of(track)}")
