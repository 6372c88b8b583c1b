"""What the stages need to know of a catalogue, worked out once when a release is loaded."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.places import places_in
from models.scratch import Scratch

# What is said of an edition, not of a song: "(Live at …)", "[2011 Remaster]", " - Radio Edit", "feat. …".
_EDITION = (
    r"(?:live|re-?master(?:ed)?|mono|stereo|deluxe|bonus|radio|single|album|original|extended|explicit|clean|demo|"
    r"acoustic|edit|version|mix|\d{4})"
)
_IN_BRACKETS = rf"\s*[\(\[](?:[^\)\]]*\b{_EDITION}\b|(?:feat\.?|ft\.?|featuring|with)\s)[^\)\]]*[\)\]]"
_AFTER_DASH = (
    r"\s+[-–—]\s+(?:(?:\d{4}\s+)?(?:digital\s+)?re-?master(?:ed)?\b.*|live\b.*|(?:radio|single|album|extended)"
    r"\s+(?:edit|version|mix)|mono|stereo|demo|acoustic(?:\s+version)?|bonus\s+track)\s*$"
)
_FEATURING = r"\s+(?:feat\.?|ft\.?|featuring)\s+.*$"


class Shelf:
    """The rows of a catalogue by artist and by work.

    `artists[row]` numbers the artist, `releases[row]` the release of that artist: a track of an unknown one stands for
    itself. `works[row]` numbers the song: a live or remastered edition by the same artist is the same work. All are
    dense, from 0. `editions[row]` is the next row of the same work, in a ring; `first_of_works[work]` its first. The
    rows of artist a are `by_artist[starts[a]:starts[a + 1]]`, most popular first.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.artist_keys, artists = np.unique(catalogue.artist_keys, return_inverse=True)
        self.artists: NDArray[np.int64] = artists.astype(np.int64)
        titles = normalised(catalogue.frame["title"])
        works = pl.DataFrame({"artist": self.artists, "title": titles}).select(
            pl.struct("artist", "title").rank("dense")
        )
        self.releases = _releases(self.artists, catalogue.frame["release"])
        self.by_artist: NDArray[np.int64] = np.argsort(self.artists, kind="stable")
        self.starts: NDArray[np.int64] = np.searchsorted(
            self.artists[self.by_artist], np.arange(len(self.artist_keys) + 1)
        )
        self.scratch = Scratch.of(len(self.artists))  # there are no more artists or works than tracks
        self.works: NDArray[np.int64] = works.to_series().to_numpy().astype(np.int64) - 1
        _, self.first_of_works = np.unique(self.works, return_index=True)
        self.editions = _rings(self.works)

    def __len__(self) -> int:
        return len(self.artists)

    def artists_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the artists with these keys; unknown ones are left out."""
        at = places_in(self.artist_keys, keys)
        return at[at >= 0]

    def first_of_artists(
        self, artists: NDArray[np.int64], most: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first `most` rows of each artist, artist after artist, and the position of each row's artist."""
        starts = self.starts[artists]
        counts = np.minimum(self.starts[artists + 1] - starts, most)
        of = np.repeat(np.arange(len(artists)), counts)
        at = starts[of] + np.arange(len(of)) - (np.cumsum(counts) - counts)[of]
        return self.by_artist[at], of

    def heads(self, artists: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first row of each of these artists."""
        return self.by_artist[self.starts[artists]]

    def rank_by_artist(self) -> NDArray[np.int64]:
        """Of each row its place among its artist's tracks, 0 the most popular."""
        places = np.empty(len(self.artists), dtype=np.int64)
        places[self.by_artist] = np.arange(len(self.artists)) - self.starts[self.artists[self.by_artist]]
        return places

    def first_rows(self, cap: int) -> NDArray[np.int64]:
        """All rows, most popular first, a work only once and at most `cap` tracks of an artist; 0: no cap."""
        _, first = np.unique(self.works, return_index=True)
        rows = np.sort(first)
        if not cap:
            return rows
        order = np.argsort(self.artists[rows], kind="stable")
        artists = self.artists[rows][order]
        starts = np.flatnonzero(np.diff(artists, prepend=-1))
        rank = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
        return np.sort(rows[order][rank < cap])


def _rings(works: NDArray[np.int64]) -> NDArray[np.int32]:
    """Of each row the next of the same work, of the last one the first."""
    order = np.argsort(works, kind="stable")
    last = np.diff(works[order], append=-1) != 0
    first = np.diff(works[order], prepend=-1) != 0
    following = np.roll(order, -1)
    following[last] = order[first]
    rings = np.empty(len(works), np.int32)
    rings[order] = following
    return rings


def _releases(artists: NDArray[np.int64], names: pl.Series) -> NDArray[np.int64]:
    named = (names.fill_null("") != "").to_numpy()
    row = np.arange(len(artists))
    frame = pl.DataFrame({"artist": artists, "name": names.fill_null(""), "else": np.where(named, -1, row)})
    return frame.select(pl.struct("artist", "name", "else").rank("dense")).to_series().to_numpy().astype(np.int64) - 1


def normalised(titles: pl.Series) -> pl.Series:
    """Titles without letter case, double blanks and remarks on the edition; never made empty by that."""
    plain = titles.str.normalize("NFKC").str.to_lowercase().str.strip_chars()
    bare = plain.str.replace_all(_IN_BRACKETS, "").str.replace(_AFTER_DASH, "").str.replace(_FEATURING, "")
    bare = bare.str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.select(pl.when(bare.str.len_bytes() > 0).then(bare).otherwise(plain)).to_series()
