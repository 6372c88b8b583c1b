"""As many songs as are asked for: real lyrics, repeated with word-level noise where there are too few."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.lyrics.packed import Packed, Vocabulary

NOISE = 0.3  # share of a repeated song's words that are replaced, by words as frequent as they are in all songs
LINE = 4  # known words that a line needs to be held out


class Corpus(NamedTuple):
    """What every contestant learns from, and the lines that none of them has seen."""

    songs: Packed
    lines: Packed
    of: np.ndarray  # the song of each line
    words: int  # numbers that a word may have
    real: int  # songs that are not repeats


def split(songs: Sequence[Sequence[Sequence[str]]]) -> tuple[list[list[str]], list[list[str]]]:
    """Each song without one of its lines, and that line; no line where none would do.

    `songs` are lines of cleaned words. A line does that has LINE different words and is sung once: of a refrain the
    song would still hold the rest. Of several the middle one.
    """
    kept, held = [], []
    for lines in songs:
        sung = Counter(tuple(line) for line in lines)
        fit = [at for at, line in enumerate(lines) if len(set(line)) >= LINE and sung[tuple(line)] == 1]
        chosen = fit[len(fit) // 2] if len(fit) > 1 else -1
        kept.append([word for at, line in enumerate(lines) if at != chosen for word in line])
        held.append(list(lines[chosen]) if chosen >= 0 else [])
    return kept, held


def corpus(
    songs: Sequence[Sequence[Sequence[str]]], size: int, vocabulary: int, length: int, seed: int, lines: int
) -> Corpus:
    """`size` songs of `songs` (lines of cleaned words), numbered by one vocabulary; at most `lines` lines to find."""
    kept, held = split(songs)
    numbering = Vocabulary.fit(kept, vocabulary)
    real, asked = numbering.pack(kept, length), numbering.pack(held, length)
    usable = np.flatnonzero(real.lengths() >= LINE)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.permutation(usable) for _ in range(-(-size // max(1, len(usable))))])[:size]
    repeated = np.arange(size) >= len(usable)
    made = _noisy(real.rows(drawn), real.words, repeated, rng)
    with_line = np.flatnonzero(asked.lengths()[drawn] > 0)
    of = np.sort(rng.permutation(with_line)[:lines])
    found = _noisy(asked.rows(drawn[of]), real.words, repeated[of], rng)
    return Corpus(made, found, of, len(numbering), min(size, len(usable)))


def _noisy(songs: Packed, drawn_from: np.ndarray, which: np.ndarray, rng: np.random.Generator) -> Packed:
    replaced = (rng.random(len(songs.words)) < NOISE) & np.repeat(which, songs.lengths())
    other = drawn_from[rng.integers(len(drawn_from), size=len(songs.words))]
    return Packed(songs.starts, np.where(replaced, other, songs.words))
