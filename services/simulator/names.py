"""Names that look like music, from the words in words.py; the numbers that choose them are passed in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.simulator.words import (
    ADJECTIVES,
    ENSEMBLES,
    FIRST_NAMES,
    GENRES,
    LAST_NAMES,
    NOUNS,
    PLACES,
    VERBS,
    Genre,
)

Draws = Sequence[int]  # five whole numbers, each taken modulo whatever it chooses from


def _of(words: Sequence[str], draw: int) -> str:
    return words[draw % len(words)]


def _noun(genre: Genre, draw: int) -> str:
    """Two times in three a word of the genre."""
    return _of(NOUNS if draw % 3 == 0 else genre.nouns, draw // 3)


def _adjective(genre: Genre, draw: int) -> str:
    return _of(ADJECTIVES if draw % 2 else genre.adjectives, draw // 2)


def artist_name(genre: Genre, draws: Draws) -> str:
    """A person, a band or an ensemble."""
    form, a, b, c, d = draws
    match form % 10:
        case 0 | 1 | 2:
            return f"{_of(FIRST_NAMES, a)} {_of(LAST_NAMES, b)}"
        case 3 | 4:
            return f"The {_adjective(genre, a)} {_noun(genre, b)}s"
        case 5:
            return f"{_of(FIRST_NAMES, a)} and the {_noun(genre, b)}s"
        case 6:
            return f"{_of(LAST_NAMES, a)} {_of(ENSEMBLES, b)}"
        case 7:
            return f"{_noun(genre, a)} {_of(PLACES, b)}"
        case 8:
            return f"{_noun(genre, a)} & {_noun(genre, a + 3 + c % 7)}"
        case _:
            return f"{_adjective(genre, a)} {_noun(genre, b)} {_of(ENSEMBLES, d)}"


def title(genre: Genre, draws: Draws) -> str:
    """A track or a release."""
    form, a, b, c, d = draws
    match form % 12:
        case 0 | 1:
            return f"{_adjective(genre, a)} {_noun(genre, b)}"
        case 2:
            return f"{_noun(genre, a)} in {_of(PLACES, b)}"
        case 3:
            return f"The {_noun(genre, a)} and the {_noun(genre, a + 3 + b % 11)}"
        case 4:
            return f"{_of(VERBS, a)} {_noun(genre, b)}"
        case 5:
            return f"{_of(VERBS, a)} to {_of(PLACES, b)}"
        case 6:
            return f"{_noun(genre, a)} for {_of(FIRST_NAMES, b)}"
        case 7:
            return f"Another {_adjective(genre, a)} {_noun(genre, b)}"
        case 8:
            return f"{_noun(genre, a)} of {_noun(genre, a + 3 + c % 11)}"
        case 9:
            return f"{_of(VERBS, a)} Through the {_noun(genre, b)}"
        case 10:
            return f"No More {_noun(genre, a)}s"
        case _:
            return f"{_adjective(genre, a)} {_noun(genre, b)}, {_adjective(genre, c)} {_noun(genre, d)}"


def distinct_artists(genre_of: NDArray[np.integer], draws: NDArray[np.int64]) -> list[str]:
    """One name an artist, no two alike (letter case aside). genre_of: (A,), draws: (A, 5)."""
    seen: dict[str, int] = {}
    names = []
    for genre, row in zip(genre_of.tolist(), draws.tolist(), strict=True):
        name = artist_name(GENRES[genre], row)
        times = seen[name] = seen.get(name, 0) + 1
        # The words run out in a large catalogue; real artists of one name are told apart by a number as well.
        names.append(name if times == 1 else f"{name} ({times})")
    return names


def titles(genre_of: NDArray[np.integer], group: NDArray[np.integer], draws: NDArray[np.int64]) -> list[str]:
    """One title each, distinct inside a group (the tracks of a release). All of length n; draws: (n, 5)."""
    seen: dict[tuple[int, str], int] = {}
    out = []
    for genre, owner, row in zip(genre_of.tolist(), group.tolist(), draws.tolist(), strict=True):
        name = title(GENRES[genre], row)
        times = seen[owner, name] = seen.get((owner, name), 0) + 1
        out.append(name if times == 1 else f"{name}, Part {times}")
    return out
