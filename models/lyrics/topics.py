"""The topic classifier of a release: chosen among four, taught on every labelled song, exported and checked."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.lyrics import songs
from models.lyrics.export import export, prove
from models.lyrics.fit import Lessons, fit
from models.lyrics.judge import CHECKED, Comparison, compare, distinct
from models.lyrics.serve import TopicClassifier, Topics
from models.lyrics.settings import LyricsSettings
from models.lyrics.tfidf import Tfidf

Words = Sequence[Sequence[str]]
Labels = Sequence[str | None]


class Taught(NamedTuple):
    """What was made; the probabilities are (songs, topics)."""

    topics: list[str]
    classifier: str
    probabilities: NDArray[np.float32]
    metrics: dict[str, dict[str, float]]


def usual(labels: Labels, words: Words, settings: LyricsSettings) -> list[int]:
    """The songs that have words and a topic which `topic_songs` songs have, copies of one another counted once."""
    there = [at for at, label in enumerate(labels) if label and words[at]]
    first = distinct([words[at] for at in there], settings.features)
    counts = Counter(labels[there[at]] for at in first.tolist())
    return [at for at in there if counts[labels[at]] >= settings.topic_songs]


def teach(
    words: Words,
    labels: Labels,
    artists: Sequence[str],
    labelled: Sequence[int],
    settings: LyricsSettings,
    aside: Path,
    progress: Callable[[float], None],
) -> Taught:
    """Compare on the `labelled` songs, teach the one worth shipping on all of them, write it, and ask it of all songs.

    Raises TooFew, and ExportFailed when ONNX Runtime does not answer as torch does.
    """
    known = [words[at] for at in labelled]
    topics = [label for at in labelled if (label := labels[at])]
    by = [artists[at] for at in labelled]
    seeds = [settings.seed + number for number in range(settings.topic_seeds)]
    found = compare(
        known, topics, by, settings.features, seeds, settings.margin, settings.threads, lambda d: progress(0.8 * d)
    )
    first = distinct(known, settings.features)
    tfidf = Tfidf.fit([known[at] for at in first.tolist()], settings.features)
    numbers = np.searchsorted(np.array(found.topics), np.array([topics[at] for at in first.tolist()])).astype(np.int64)
    order = np.random.default_rng(settings.seed).permutation(len(first))
    check = max(1, round(CHECKED * len(first)))
    bags = tfidf.bags([known[at] for at in first.tolist()])
    lessons = Lessons(bags, numbers, len(found.topics), order[check:], order[:check])
    network = fit(found.shipped, lessons, settings.seed, settings.threads)
    progress(0.9)
    export(network, aside / songs.GRAPH)
    apart = prove(network, aside / songs.GRAPH, bags)
    tfidf.save(aside / songs.TERMS)
    served = TopicClassifier(tfidf, Topics.load(aside / songs.GRAPH)).probabilities(words)
    progress(1.0)
    return Taught(found.topics, found.shipped, served, _metrics(found, apart))


def _metrics(found: Comparison, apart: float) -> dict[str, dict[str, float]]:
    metrics = {
        f"lyrics_{each.name}": {
            "accuracy": each.accuracy,
            "macro_f1": each.macro_f1,
            "worst_f1": each.worst_f1,
            "above_linear": each.above_linear,
            "shipped": float(each.name == found.shipped),
        }
        for each in found.contenders
    }
    metrics["lyrics_topics"] = {"songs": float(found.songs), "copies": float(found.copies), "onnx_apart": apart}
    return metrics
