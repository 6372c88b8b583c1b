"""Pick a topic, get songs of it."""

import difflib
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.lyrics.encoder import unit
from models.lyrics.songs import ENGLISH, Songs
from models.lyrics.taste import own, points
from models.release import Release
from models.sources.base import Listener

SURE = 0.5  # probability from which a song counts as one of the topic
SPELLED_ALIKE = 0.6  # share of letters in common from which a topic's name may be what was meant
SHORTEST = 3  # letters of a word that stands for a longer one
SAME_SHARE = 0.5  # of a listener's taste in a song's score; the rest is how sure the topic is


class UnknownTopic(ValueError):
    """No such topic in this release; the text lists those there are, nearest first."""


class Picked(NamedTuple):
    """One song of the answer."""

    track_id: str
    title: str
    artist: str
    probability: float
    labelled: bool  # its topic is known, not only guessed
    sentiment: float
    taste: float | None  # how near it is to what the listener likes, −1 to 1; None: nobody was named


def pick(release: Release, topic: str, n: int, listener: Listener | None = None) -> list[Picked]:
    """At most `n` songs of a topic: first those with p > SURE, then, if they are fewer, others of the topic.

    A song with a label is one of its label's topic alone. "Others of the topic" are labelled so, or have it as their
    most probable one. Songs in another language are of none, whatever their label: nothing of them was read.
    Within each part by probability, for a listener half by their taste; a work comes once. Raises UnknownTopic.
    """
    part = release.lyrics
    if part is None or not part.about.topics:
        raise UnknownTopic(f"release {release.id} knows no topics: train it with songs whose topics are known")
    at = part.about.topics.index(_named(topic, part))
    wanted = part.about.topics[at]
    probability = part.probabilities[:, at]
    read = np.array([language == ENGLISH for language in part.languages], dtype=bool)
    labelled = read & np.array([label == wanted for label in part.labels], dtype=bool)
    unlabelled = read & np.array([label is None for label in part.labels], dtype=bool)
    likeliest = unlabelled & (part.probabilities.argmax(axis=1) == at) & (probability > 0)
    sure = (labelled | unlabelled) & (probability > SURE)
    taste = _taste(part, listener)
    score = probability if taste is None else SAME_SHARE * taste + (1 - SAME_SHARE) * probability
    order = np.lexsort((part.rows, -score, ~sure))
    usable = order[(sure | labelled | likeliest)[order]]
    return [_picked(release, part, int(song), probability, labelled, taste) for song in _once(release, usable, n)]


def has_taste(release: Release, listener: Listener) -> bool:
    """Whether the listener is known to like any song whose words are known: else `pick` ranks as for anybody."""
    part = release.lyrics
    return part is not None and len(own(listener, part.song_of, part.vectors)[0]) > 0


def _named(topic: str, part: Songs) -> str:
    by_name = {name.casefold(): name for name in part.about.topics}
    asked = topic.strip().casefold()
    if asked in by_name:
        return by_name[asked]
    raise UnknownTopic(f"no topic {topic!r} in this release; there are {', '.join(_nearest(asked, part))}")


def _nearest(asked: str, part: Songs) -> list[str]:
    """The topics: those spelled like what was asked, then by how near their songs are to its words, then the rest."""
    encoder = part.encoder()
    meant = encoder.encode([_known(asked, encoder.vocabulary.words)])[0]
    near = (unit(part.probabilities.T @ part.vectors) @ meant).tolist()

    def place(at: int) -> tuple[float, float, float]:
        name = part.about.topics[at].casefold()
        spelled = max(difflib.SequenceMatcher(None, asked, each).ratio() for each in (name, *re.split(r"\W+", name)))
        return -spelled if spelled >= SPELLED_ALIKE else 0.0, -near[at], -spelled

    return [part.about.topics[at] for at in sorted(range(len(near)), key=place)]


def _known(asked: str, words: list[str]) -> list[str]:
    """What was asked in `words`, which are by frequency: itself, else the first that begins so, else its beginning."""
    found: list[str] = []
    for word in re.findall(r"\w+", asked):
        if word in words:
            found.append(word)
        elif len(word) >= SHORTEST:
            longer = (each for each in words if each.startswith(word))
            shorter = max(
                (each for each in words if len(each) >= SHORTEST and word.startswith(each)), key=len, default=""
            )
            found.append(next(longer, shorter))
    return found


def _taste(part: Songs, listener: Listener | None) -> NDArray[np.float32] | None:
    """How near each song is to the nearest point of the listener's taste; 0 of a listener without any."""
    if listener is None:
        return None
    songs, weights = own(listener, part.song_of, part.vectors)
    centres, _ = points(part.vectors[songs], weights)
    if not len(centres):
        return np.zeros(len(part.rows), dtype=np.float32)
    near: NDArray[np.float32] = (part.vectors @ centres.T).max(axis=1)
    return near


def _once(release: Release, songs: NDArray[np.int64], n: int) -> list[int]:
    """The first `n`, no artist and title twice."""
    part, catalogue = release.lyrics, release.catalogue
    kept: dict[tuple[str, str], int] = {}
    for song in songs.tolist():
        row = int(part.rows[song]) if part is not None else 0
        kept.setdefault((catalogue.artists[row].casefold(), catalogue.titles[row].casefold()), song)
        if len(kept) == n:
            break
    return list(kept.values())


def _picked(
    release: Release, part: Songs, song: int, probability: NDArray[np.float32], labelled: NDArray[np.bool_],
    taste: NDArray[np.float32] | None,
) -> Picked:  # fmt: skip
    row, catalogue = int(part.rows[song]), release.catalogue
    return Picked(
        catalogue.track_ids[row],
        catalogue.titles[row],
        catalogue.artists[row],
        round(float(probability[song]), 4),
        bool(labelled[song]),
        round(float(part.sentiment[song]), 4),
        None if taste is None else round(float(taste[song]), 4),
    )
