"""What an operator has taken out of every list: a text file of tracks and artists, read again when it changes.

    # one a line; what stands after `track` is the track's id, after `artist` the artist's name
    track spotify:track:4uLU6hMCjMI75M1A2tKUQC
    artist Some Band

A track is that one edition; an artist is found as a ban finds one, whatever the letter case.
"""

from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ids import artist_key_of, key_of
from models.sources.shelf import Shelf

Keys = NDArray[np.int64]
Stamp = tuple[int, int, int]


class BadExclude(ValueError):
    """The file cannot be read, or a line of it says nothing; the text names the file and the line."""


class Excluded(Struct, frozen=True):
    """Keys of tracks and of artists (models.ids)."""

    tracks: Keys
    artists: Keys

    def rows(self, shelf: Shelf) -> NDArray[np.bool_] | None:
        """Which rows of a catalogue are excluded; None: not one."""
        out = np.zeros(len(shelf), dtype=bool)
        rows = shelf.catalogue.rows_of(self.tracks)
        out[rows[rows >= 0]] = True
        if len(self.artists) and len(shelf):
            out |= np.isin(shelf.artists, shelf.artists_of(self.artists))
        return out if out.any() else None


NOBODY = Excluded(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def read(path: Path) -> Excluded:
    """What a file excludes. Raises BadExclude."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadExclude(f"SEGUE_LIST_EXCLUDE={path}: cannot be read: {error}") from error
    keys: dict[str, list[int]] = {"track": [], "artist": []}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        kind, _, name = stripped.partition(" ")
        if kind not in keys or not name.strip():
            raise BadExclude(f"{path}, line {number}: {stripped[:60]!r} is neither `track ID` nor `artist NAME`")
        keys[kind].append(key_of(name.strip()) if kind == "track" else artist_key_of(name))
    tracks, artists = (np.array(found, dtype=np.int64) for found in keys.values())
    return Excluded(tracks, artists)


class ExcludeFile:
    """One such file, watched; a path of "" excludes nobody. Not for several threads at once."""

    def __init__(self, path: str) -> None:
        """Raises BadExclude: a list that was meant to be kept must not be forgotten at a start."""
        self._path = Path(path) if path else None
        self._stamp: Stamp | None = None
        self.now = NOBODY
        self.changed()

    def changed(self) -> bool:
        """Read the file if it is another than last time; whether it was. Costs a look at its time otherwise.

        Raises BadExclude, once for each change; `now` is then what it was.
        """
        if self._path is None:
            return False
        stamp = self._look(self._path)
        if stamp == self._stamp:
            return False
        first, self._stamp = self._stamp is None, stamp
        if stamp == GONE and not first:
            raise BadExclude(f"SEGUE_LIST_EXCLUDE={self._path}: the file is gone; what it excluded stays excluded")
        self.now = read(self._path)
        return True

    @staticmethod
    def _look(path: Path) -> Stamp:
        try:
            found = path.stat()
        except OSError:
            return GONE
        return (found.st_mtime_ns, found.st_size, found.st_ino)


GONE: Stamp = (0, 0, 0)
