"""Query by sound: a recording in, the nearest tracks of a release out, with what its catalogue says of them.

The catalogue is asked by SQL: DuckDB on the release's own catalogue.parquet.
"""

from pathlib import Path

import duckdb
import faiss
import numpy as np
from msgspec import Struct

from models import release
from models.audio.decode import middle
from models.audio.logmel import logmel
from models.audio.part import Sounds
from models.audio.serve import evened
from models.index import search

QUERY_S = 30.0  # of a longer recording its middle
_ASKED = """
    SELECT row, track_id, title, artist, genre
    FROM (SELECT row_number() OVER () - 1 AS row, track_id, title, artist, genre FROM read_parquet(?))
    WHERE row IN (SELECT unnest(?::BIGINT[]))
"""


class NoSounds(release.BadRelease):
    """A release without the part that this needs; the text says what to train it with."""


class Near(Struct, frozen=True):
    """A track that sounds like the query. `distance` is 1 − cosine: 0 the same, 1 nothing in common, 2 at most."""

    track_id: str
    title: str
    artist: str
    genre: str | None
    distance: float


class Similar:
    """One release's sounds, ready to be asked."""

    def __init__(self, folder: Path) -> None:
        """Every byte is checked first. Raises BadRelease, NoSounds."""
        faiss.omp_set_num_threads(1)
        manifest = release.check(folder)
        if not release.has_sounds(manifest):
            raise NoSounds(
                f"{folder}: knows no sounds; train it on recordings (`segue train --audio DIR …`) "
                "where segue[neural,audio] is installed"
            )
        self._catalogue = folder / release.CATALOGUE
        self._sounds = Sounds(folder, manifest.tracks)
        self._ears = self._sounds.ears()

    def near(self, path: Path, n: int) -> list[Near]:
        """The `n` nearest tracks, nearest first. Raises models.audio.problems.BadAudio."""
        vector, _ = self._ears.hear(logmel(middle(path, QUERY_S), self._ears.heard))
        scores, places = search(self._sounds.index, evened(vector[None], self._sounds.mean), n)
        found = [(self._sounds.rows[at], score) for at, score in zip(places[0], scores[0], strict=True) if at >= 0]
        about = self._about([int(row) for row, _ in found])
        return [
            Near(*about[int(row)], distance=round(float(np.clip(1.0 - score, 0.0, 2.0)), 6)) for row, score in found
        ]

    def _about(self, rows: list[int]) -> dict[int, tuple[str, str, str, str | None]]:
        with duckdb.connect() as database:
            found = database.execute(_ASKED, [str(self._catalogue), rows]).fetchall()
        return {row: (track, title, artist, genre) for row, track, title, artist, genre in found}
