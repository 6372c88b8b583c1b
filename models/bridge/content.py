"""What is known of a track without anybody having played it: numbers, in blocks that a track has or has not.

artist   the mean factor of the artist's other tracks, drawn to 0 while these are few
genre    the same of the genre's
sound    the vector of its recording, on the principal axes of all
words    the vector of its lyrics
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.bridge.settings import BridgeSettings
from models.lyrics.songs import Songs

Table = NDArray[np.float32]
Rows = NDArray[np.int64]

BLOCK = 8_192  # vectors turned at once


class Content:
    """The blocks of every row of a catalogue whose first rows have factors."""

    def __init__(
        self,
        catalogue: pl.DataFrame,
        factors: Table,
        sounds: tuple[Rows, NDArray[np.floating]] | None,
        words: Songs | None,
        settings: BridgeSettings,
    ) -> None:
        """`catalogue`: artist, genre. `sounds`: rows, and what each sounds like, parallel."""
        self.blocks: dict[str, Table] = {}  # (tracks, numbers)
        self.there: dict[str, NDArray[np.bool_]] = {}  # (tracks)
        for name, shrink in (("artist", settings.artist_shrink), ("genre", settings.genre_shrink)):
            self._mean_of_others(name, catalogue[name], factors, shrink)
        tracks = catalogue.height
        if sounds is not None and len(sounds[0]):
            self._add("sound", tracks, sounds[0], _turned(sounds[1], settings.axes))
        if words is not None:
            sung = np.flatnonzero(words.vectors.any(axis=1))
            self._add("words", tracks, words.rows[sung], words.vectors[sung])

    def known(self, row: int) -> frozenset[str]:
        """The blocks that a row has."""
        return frozenset(name for name, there in self.there.items() if there[row])

    def of(self, rows: Rows, blocks: frozenset[str]) -> Table:
        """(rows, numbers) of these blocks, side by side."""
        return np.concatenate([self.blocks[name][rows] for name in sorted(blocks)], axis=1)

    def _add(self, name: str, tracks: int, rows: Rows, vectors: Table) -> None:
        self.blocks[name] = np.zeros((tracks, vectors.shape[1]), dtype=np.float32)
        self.blocks[name][rows] = vectors
        self.there[name] = np.zeros(tracks, dtype=bool)
        self.there[name][rows] = True

    def _mean_of_others(self, name: str, values: pl.Series, factors: Table, shrink: float) -> None:
        """Of a row with factors its own are left out, so that what is learned holds for rows without."""
        items, width = factors.shape
        named = (values.is_not_null() & (values.cast(pl.String) != "")).fill_null(value=False).to_numpy()
        groups = values.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
        count = int(groups.max(initial=-1)) + 1
        sums = np.zeros((count, width), dtype=np.float64)
        np.add.at(sums, groups[:items], factors)
        others = np.bincount(groups[:items], minlength=count)[groups].astype(np.float64)
        means = sums[groups]
        others[:items] -= 1
        means[:items] -= factors
        self.blocks[name] = (means / (others + shrink)[:, None]).astype(np.float32)
        self.there[name] = named & (others > 0)


def _turned(vectors: NDArray[np.floating], axes: int) -> Table:
    """On their principal axes, found with the vectors themselves."""
    plain = np.asarray(vectors, dtype=np.float32)
    centred = plain - plain.mean(axis=0)
    moments = sum(
        (part.T @ part for part in (centred[at : at + BLOCK] for at in range(0, len(centred), BLOCK))),
        start=np.zeros((centred.shape[1], centred.shape[1]), dtype=np.float32),
    )
    _, directions = np.linalg.eigh(moments)
    return np.asarray(centred @ directions[:, ::-1][:, : min(axes, len(plain))], dtype=np.float32)


def described(content: Content, rows: Rows) -> Mapping[frozenset[str], Rows]:
    """The rows by which blocks they have; without those that have none."""
    found: dict[frozenset[str], list[int]] = {}
    for row in rows.tolist():
        found.setdefault(content.known(row), []).append(row)
    return {known: np.array(of, dtype=np.int64) for known, of in found.items() if known}
