"""Find a song by a line of it."""

from typing import NamedTuple

from models.index import search
from models.lyrics.text import Cleaner
from models.release import BadRelease, Release


class Found(NamedTuple):
    """One song, with how near the line is to it: −1 to 1."""

    track_id: str
    title: str
    artist: str
    likeness: float


def find(release: Release, line: str, n: int) -> list[Found]:
    """The `n` nearest songs to an English line, nearest first; none when no word of it is known.

    Raises BadRelease when the release has no lyrics part.
    """
    part = release.lyrics
    if part is None:
        raise BadRelease(f"release {release.id} has no lyrics part: train it with --lyrics")
    words = Cleaner(part.about.words, part.about.stop_words).words(line)
    vector = part.encoder().encode([words])
    if not vector.any():
        return []
    scores, songs = search(part.index, vector, n)
    catalogue = release.catalogue
    found = []
    for score, song in zip(scores[0].tolist(), songs[0].tolist(), strict=True):
        row = int(part.rows[song])
        found.append(Found(catalogue.track_ids[row], catalogue.titles[row], catalogue.artists[row], round(score, 4)))
    return found
