"""Songs as numbers of words: one flat column and where each song begins in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

PAD, OTHER = 0, 1  # numbers that are no word: behind the end of a song, and every word beyond the vocabulary
FIRST = 2


class Vocabulary:
    """The most frequent words, numbered from FIRST; of equals the first by the alphabet."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._number = {word: at for at, word in enumerate(self.words, FIRST)}

    @classmethod
    def fit(cls, songs: Iterable[Sequence[str]], size: int, min_songs: int = 1) -> "Vocabulary":
        """At most `size` words, each of at least `min_songs` songs."""
        total: Counter[str] = Counter()
        within: Counter[str] = Counter()
        for words in songs:
            total.update(words)
            within.update(set(words))
        usual = [word for word, count in within.items() if count >= min_songs]
        return cls(sorted(usual, key=lambda word: (-total[word], word))[:size])

    def __len__(self) -> int:
        """How many numbers there are, PAD and OTHER among them."""
        return len(self.words) + FIRST

    def pack(self, songs: Iterable[Sequence[str]], length: int) -> "Packed":
        """The first `length` words of each song."""
        number, found, ends = self._number, [], [0]
        for words in songs:
            found += [number.get(word, OTHER) for word in words[:length]]
            ends.append(len(found))
        return Packed(np.array(ends, dtype=np.int64), np.array(found, dtype=np.int64))


class Packed(NamedTuple):
    """Song i is `words[starts[i]:starts[i + 1]]`."""

    starts: Numbers
    words: Numbers

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> Numbers:
        """Words of each song."""
        return np.diff(self.starts)

    def rows(self, chosen: Numbers) -> "Packed":
        """Only these songs, in this order."""
        return self.spans(self.starts[chosen], self.starts[chosen + 1])

    def spans(self, begins: Numbers, ends: Numbers) -> "Packed":
        """One song a pair of positions in `words`."""
        counts = ends - begins
        starts = np.concatenate(([0], np.cumsum(counts)))
        at = np.repeat(begins - starts[:-1], counts) + np.arange(starts[-1])
        return Packed(starts, self.words[at])

    def padded(self, length: int) -> Numbers:
        """(songs, length), PAD behind the end."""
        table = np.full((len(self), length), PAD, dtype=np.int64)
        counts = np.minimum(self.lengths(), length)
        of = np.repeat(np.arange(len(self)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        table[of, within] = self.words[self.starts[of] + within]
        return table
