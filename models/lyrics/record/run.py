"""The record: how long until a song model knows its songs? One contestant after the other, the same songs."""

from collections.abc import Callable
from time import perf_counter, process_time
from typing import Protocol

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.lyrics.packed import Packed
from models.lyrics.record.corpus import Corpus

CHECKED = 2_000  # songs that training recall@1 is measured on, of all songs' scores
WITHIN = 10
BATCH, RATE = 32, 1e-3  # of the paper's model, in PyTorch and in TensorFlow


class Contestant(Protocol):
    """One way to teach the song model."""

    name: str

    def epoch(self) -> None:
        """Teach it once on every song."""

    def found(self, asked: Packed, k: int) -> NDArray[np.int64]:
        """The k best songs for each of these, best first, of all songs there are."""


class Lap(Struct, frozen=True):
    """How far it was after an epoch."""

    epoch: int
    seconds: float  # of teaching alone: the clock stands still while it is asked
    cpu_seconds: float  # the same of all cores together, which other work on the machine does not lengthen
    recall: float  # share of songs that are the first answer to their own words


class Timed(Struct, frozen=True):
    """How long one contestant took with so many songs. `reached`: the recall that was wanted."""

    name: str
    songs: int
    seconds: float
    cpu_seconds: float
    epochs: int
    recall: float
    line_recall: float | None  # share of held-out lines whose song is among the first WITHIN; None: there are none
    reached: bool
    laps: list[Lap]


class Limits(Struct, frozen=True):
    """When to stop teaching: once `recall` of the songs are told by their words, or after so many epochs or seconds."""

    recall: float
    most_epochs: int
    most_seconds: float
    seed: int  # of the songs that recall is measured on


Make = Callable[[Corpus], Contestant]


def time_warm(
    make: Make, warming: Corpus, corpus: Corpus, limits: Limits, progress: Callable[[Lap], None] = lambda _lap: None
) -> Timed:
    """As time_to, after an epoch of `warming`: none pays for what its libraries load and make at their first use."""
    time_to(make, warming, replace(limits, most_epochs=1))
    return time_to(make, corpus, limits, progress)


def time_to(make: Make, corpus: Corpus, limits: Limits, progress: Callable[[Lap], None] = lambda _lap: None) -> Timed:
    """Teach a contestant made for this corpus to the limits."""
    size = len(corpus.songs)
    checked = np.random.default_rng(limits.seed).permutation(size)[:CHECKED]
    asked = corpus.songs.rows(checked)
    begun, worked = perf_counter(), process_time()
    contestant = make(corpus)
    spent, cpu = perf_counter() - begun, process_time() - worked
    laps: list[Lap] = []
    while not laps or (
        laps[-1].recall < limits.recall and len(laps) < limits.most_epochs and spent < limits.most_seconds
    ):
        begun, worked = perf_counter(), process_time()
        contestant.epoch()
        spent, cpu = spent + perf_counter() - begun, cpu + process_time() - worked
        known = float((contestant.found(asked, 1)[:, 0] == checked).mean())
        laps.append(Lap(len(laps) + 1, round(spent, 3), round(cpu, 3), round(known, 4)))
        progress(laps[-1])
    last = laps[-1]
    return Timed(
        contestant.name,
        size,
        last.seconds,
        last.cpu_seconds,
        last.epoch,
        last.recall,
        _line_recall(contestant, corpus),
        last.recall >= limits.recall,
        laps,
    )


def _line_recall(contestant: Contestant, corpus: Corpus) -> float | None:
    """None where no song has a line to hold out: each stands on one line, say."""
    if not len(corpus.of):
        return None
    answers = contestant.found(corpus.lines, min(WITHIN, len(corpus.songs)))
    return round(float((answers == corpus.of[:, None]).any(axis=1).mean()), 4)
