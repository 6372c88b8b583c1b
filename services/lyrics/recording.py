"""`segue bench lyrics` behind the command line: each contestant with each number of songs, in one run."""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import polars as pl
from msgspec import Struct

from models.lyrics.record.corpus import LINE
from models.lyrics.settings import LyricsSettings
from services.lyrics.english import LeftOut, english
from services.lyrics.judging import prove
from services.runtime.errors import Fatal

PLAIN, TENSORFLOW, OURS, LEARNED = "plain", "tensorflow", "ours", "learned"
CONTESTANTS = (PLAIN, TENSORFLOW, OURS, LEARNED)
WARMING = 64  # songs that each is taught on before, so that none pays for what libraries load at their first use
LEAST = 1e-3  # seconds that are told apart
# Seconds that the original took, by number of songs: PyTorch and TensorFlow, on its own machine.
ORIGINAL = {5_000: (28.9, 31.6), 20_000: (380.0, 247.0), 50_000: (1_968.0, 1_252.0)}

if TYPE_CHECKING:
    from models.lyrics.record.run import Lap, Make, Timed

Tell = Callable[[str], None]


class RecordOptions(Struct, frozen=True):
    """What is run."""

    sizes: tuple[int, ...]
    contestants: tuple[str, ...]
    recall: float  # share of the songs that are to be told by their own words
    most_epochs: int
    most_seconds: float  # of one contestant with one size
    lines: int  # held-out lines that are asked for, at most


class Row(Struct, frozen=True):
    """One contestant with one number of songs, beside plain PyTorch where both reached the recall."""

    contestant: str
    songs: int
    real_songs: int
    seconds: float
    cpu_seconds: float
    epochs: int
    recall: float
    line_recall: float | None  # None: no song has a line to hold out
    reached: bool
    times_faster: float | None  # by the clock
    times_less_cpu: float | None  # by the cores' work, which other work on the machine does not lengthen
    laps: list[tuple[float, float]]  # seconds, recall


class Record(Struct, frozen=True):
    """Everything that was measured."""

    rows: list[Row]
    skipped: list[str]
    left_out: LeftOut
    options: RecordOptions
    settings: LyricsSettings
    original_seconds: dict[str, tuple[float, float]]
    cores: int
    load_before: float  # processes that wanted a core, over the last minute before
    versions: dict[str, str]


def record(songs: pl.DataFrame, options: RecordOptions, settings: LyricsSettings, tell: Tell) -> Record:
    """Run it on songs with lyrics (columns of Track). Raises Fatal: packages or songs are missing."""
    prove(("torch", "simplemma", "py3langid", "stop_words", "snowballstemmer", "inflect"))
    unknown = set(options.contestants) - set(CONTESTANTS)
    if unknown:
        raise Fatal(f"no contestant {', '.join(sorted(unknown))}; known: {', '.join(CONTESTANTS)}")
    load = os.getloadavg()[0]
    understood, left = english(songs)
    tell(str(left))
    lines = _lines(understood["lyrics"], settings)
    if len(lines) < 2:
        raise Fatal(
            f"{len(lines)} of {songs.height} songs are in English and have {LINE} words that are no stop words; "
            "name files with two or more"
        )
    names = [name for name in options.contestants if name != TENSORFLOW or find_spec("tensorflow") is not None]
    skipped = [f"{name}: not installed; pip install tensorflow" for name in options.contestants if name not in names]
    for text in skipped:
        tell(f"skipped {text}")
    rows: list[Row] = []
    for size in options.sizes:
        made, died = _of_size(lines, size, names, options, settings, tell)
        rows += made
        skipped += died
    original = {str(size): seconds for size, seconds in ORIGINAL.items()}
    return Record(rows, skipped, left, options, settings, original, os.cpu_count() or 1, round(load, 2), _versions())


def _lines(texts: Iterable[str], settings: LyricsSettings) -> list[list[list[str]]]:
    """The cleaned words of each line of each song that has words enough to be learned."""
    from models.lyrics.text import Cleaner

    cleaner = Cleaner(settings.words, settings.stop_words)
    songs = [[words for line in text.splitlines() if (words := cleaner.words(line))] for text in texts]
    return [song for song in songs if sum(map(len, song)) >= LINE]


def _of_size(
    lines: Sequence[Sequence[Sequence[str]]], size: int, names: Sequence[str], options: RecordOptions,
    settings: LyricsSettings, tell: Tell,
) -> tuple[list[Row], list[str]]:  # fmt: skip
    """Rows, and who did not come to an end."""
    from models.lyrics.record.apart import Died, time_apart
    from models.lyrics.record.corpus import corpus
    from models.lyrics.record.run import Limits, time_warm

    warming, made = (
        corpus(lines, songs, settings.vocabulary, settings.length, settings.seed, options.lines)
        for songs in (WARMING, size)
    )
    limits = Limits(options.recall, options.most_epochs, options.most_seconds, settings.seed)
    makers = _makers(settings)
    timed: dict[str, Timed] = {}
    died: list[str] = []
    for name in names:
        time = time_apart if name == TENSORFLOW else time_warm
        try:
            timed[name] = time(makers[name], warming, made, limits, partial(_told, tell, size, name))
        except Died as error:
            died.append(f"{name} with {size:,} songs: {error}")
            tell(f"skipped {died[-1]}")
    plain = timed.get(PLAIN)
    return [_row(name, found, made.real, plain) for name, found in timed.items()], died


def _makers(settings: LyricsSettings) -> "dict[str, Make]":
    from models.lyrics.record.ours import Ours
    from models.lyrics.record.plain import Plain
    from models.lyrics.record.tensor_flow import tensor_flow

    length, same = settings.length, (settings.dimensions, settings.seed, settings.threads or os.cpu_count() or 1)
    return {
        PLAIN: lambda made: Plain(made.songs, made.words, length, *same),
        TENSORFLOW: partial(tensor_flow, length, *same),
        OURS: lambda made: Ours(made.songs, made.words, *same),
        LEARNED: lambda made: Ours(made.songs, made.words, *same, rows="learned"),
    }


def _told(tell: Tell, size: int, name: str, lap: "Lap") -> None:
    tell(
        f"{size:,} songs, {name}: epoch {lap.epoch}, {lap.seconds:.1f} s, {lap.cpu_seconds:.1f} of the cores, "
        f"recall@1 {lap.recall:.3f}"
    )


def _versions() -> dict[str, str]:
    there = packages_distributions()  # TensorFlow comes as tensorflow, as tensorflow-cpu, …
    return {name: version(there[name][0]) for name in ("torch", "tensorflow", "numpy") if name in there}


def _row(name: str, found: "Timed", real: int, plain: "Timed | None") -> Row:
    faster = less = None
    if plain and plain.reached and found.reached:
        faster = round(plain.seconds / max(found.seconds, LEAST), 2)
        less = round(plain.cpu_seconds / max(found.cpu_seconds, LEAST), 2)
    return Row(
        name, found.songs, real, found.seconds, found.cpu_seconds, found.epochs, found.recall, found.line_recall,
        found.reached, faster, less, [(lap.seconds, lap.recall) for lap in found.laps],
    )  # fmt: skip
