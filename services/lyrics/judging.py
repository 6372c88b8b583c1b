"""The topic classifiers judged on files: what `segue lyrics evaluate` shows."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import polars as pl

from models.lyrics.part import NEEDED, topic_of
from models.lyrics.settings import LyricsSettings
from services.lyrics.english import LeftOut, english
from services.runtime.errors import Fatal

if TYPE_CHECKING:
    from models.lyrics.judge import Comparison


def prove(packages: Iterable[str]) -> None:
    """Raise Fatal where a package is missing, with what to install."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        extras = ",".join(sorted({NEEDED[name].removeprefix("segue[").rstrip("]") for name in missing}))
        raise Fatal(f"{', '.join(missing)} missing: pip install 'segue[{extras}]'")


def judge_topics(
    songs: pl.DataFrame, seeds: int, settings: LyricsSettings, progress: Callable[[float], None]
) -> "tuple[Comparison, LeftOut]":
    """Judge on new English songs with a topic (columns of Track). Raises Fatal: packages, topics or artists missing."""
    prove(NEEDED)
    from models.lyrics.judge import compare
    from models.lyrics.songs import TooFew
    from models.lyrics.text import Cleaner
    from models.lyrics.topics import usual

    cleaner = Cleaner(settings.words, settings.stop_words)
    songs = songs.unique("track_id", keep="first", maintain_order=True)
    songs, left = english(songs.filter(pl.Series([bool(topic_of(text)) for text in songs["labels"]], dtype=pl.Boolean)))
    words = [cleaner.words(text) for text in songs["lyrics"]]
    labels = [topic_of(text) for text in songs["labels"]]
    chosen = usual(labels, words, settings)
    topics = [label for at in chosen if (label := labels[at])]
    if (there := len(set(topics))) < 2:
        raise Fatal(
            f"two topics of {settings.topic_songs} songs or more, copies aside, are needed; found {there} ({left})"
        )
    artists = songs["artist"].to_list()
    numbers = [settings.seed + number for number in range(seeds)]
    try:
        found = compare(
            [words[at] for at in chosen], topics, [artists[at] for at in chosen], settings.features, numbers,
            settings.margin, settings.threads, progress,
        )  # fmt: skip
    except TooFew as few:
        raise Fatal(str(few)) from few
    return found, left
