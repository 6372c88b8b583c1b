"""Which topic classifier? All four on the same songs, split by artist, over several seeds.

A song's copies (the same words but for a few, often a cover) are left out but for the first: else what is asked would
have been learned. TF-IDF is fitted on the songs that are learned from alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.lyrics.fit import CONTENDERS, Labels, Lessons, fit, logits
from models.lyrics.songs import TooFew
from models.lyrics.tfidf import Tfidf

ASKED, CHECKED = 0.2, 0.1  # share of the artists that are asked about; of the others, who say when to stop
LINEAR = "linear"
SAME = 0.8  # cosine of two songs' TF-IDF from which they are copies
BLOCK = 512

Words = Sequence[Sequence[str]]


class Score(Struct, frozen=True):
    """What one classifier reached with one seed."""

    accuracy: float
    macro_f1: float
    worst_f1: float
    worst: str  # the topic with it


class Contender(Struct, frozen=True):
    """One classifier over all seeds: means, deviations over seeds, and who was taken for what."""

    name: str
    accuracy: float
    accuracy_sd: float
    macro_f1: float
    macro_f1_sd: float
    worst_f1: float  # of the topic that is worst on the average
    worst: str
    by_topic: dict[str, float]  # F1
    above_linear: float  # macro F1, paired by seed
    seeds: list[Score]
    confusion: list[list[int]]  # rows: what it is; columns: what it was taken for; summed over seeds


class Comparison(Struct, frozen=True):
    """All classifiers side by side, and which is worth shipping."""

    topics: list[str]
    songs: int
    copies: int  # songs left out, being copies of others
    artists: int
    shipped: str
    contenders: list[Contender]


def compare(
    words: Words,
    topics: Sequence[str],
    artists: Sequence[str],
    features: int,
    seeds: Sequence[int],
    margin: float,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Comparison:
    """Judge CONTENDERS on songs (cleaned words), their topics and artists, parallel. Raises TooFew.

    A seed whose split leaves fewer than two topics to learn from, or nothing to ask about, is passed over.
    The shipped one is the network with the best macro F1 if that is `margin` above the linear model's, else that.
    """
    names, labels = _numbered(topics)
    if len(names) < 2:
        raise TooFew(f"songs of {len(names)} topics: a classifier needs songs of two or more")
    first = distinct(words, features)
    kept, labels = [words[at] for at in first.tolist()], labels[first]
    groups = np.unique([artists[at].strip().casefold() for at in first.tolist()], return_inverse=True)[1]
    tables: dict[str, list[NDArray[np.int64]]] = {name: [] for name in CONTENDERS}
    for done, seed in enumerate(seeds):
        asked, check, learn = splits(groups, seed)
        if not (len(asked) and len(learn)) or len(np.unique(labels[np.concatenate((learn, check))])) < 2:
            continue
        tfidf = Tfidf.fit([kept[at] for at in np.concatenate((learn, check)).tolist()], features)
        bags = tfidf.bags(kept)
        lessons = Lessons(bags, labels, len(names), learn, check)
        for at, name in enumerate(CONTENDERS):
            said = logits(fit(name, lessons, seed, threads), bags.rows(asked)).argmax(axis=1)
            tables[name].append(_confusion(labels[asked], said, len(names)))
            progress((done + (at + 1) / len(CONTENDERS)) / len(seeds))
    artists_there = int(groups.max()) + 1 if len(groups) else 0
    if not tables[LINEAR]:
        raise TooFew(
            f"labelled songs of {artists_there} artists: split by artist, they leave fewer than two topics to learn "
            "from; label songs of more artists"
        )
    linear = _macro(tables[LINEAR])
    contenders = [_contender(name, found, names, linear) for name, found in tables.items()]
    copies = len(words) - len(kept)
    return Comparison(names, len(kept), copies, artists_there, chosen(contenders, margin), contenders)


def chosen(contenders: Sequence[Contender], margin: float) -> str:
    """The name of the one to ship."""
    best = max(contenders, key=lambda contender: contender.macro_f1)
    return best.name if best.above_linear >= margin else LINEAR


def splits(groups: NDArray[np.int64], seed: int) -> tuple[Labels, Labels, Labels]:
    """Songs to ask about, to say when to stop and to learn from; no artist is in two of them."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(int(groups.max()) + 1)
    asked = max(1, round(ASKED * len(order)))
    check = max(1, round(CHECKED * (len(order) - asked)))
    part = np.full(len(order), 2)
    part[order[:asked]], part[order[asked : asked + check]] = 0, 1
    of = part[groups]
    asked_rows, check_rows, learn_rows = (np.flatnonzero(of == number) for number in range(3))
    return asked_rows, check_rows, learn_rows


def distinct(words: Words, features: int) -> Labels:
    """The songs that are no copy of one before them, rising."""
    from scipy.sparse import csr_matrix

    if not words:
        return np.empty(0, dtype=np.int64)
    bags = Tfidf.fit(words, features).bags(words)
    matrix = csr_matrix((bags.weights, bags.terms, bags.starts), shape=(len(bags), bags.size))
    copies = np.zeros(len(words), dtype=bool)
    for at in range(0, len(words), BLOCK):
        near = (matrix[at : at + BLOCK] @ matrix.T).tocoo()
        rows, columns = near.row + at, near.col
        copies[rows[(near.data >= SAME) & (columns < rows)]] = True
    return np.flatnonzero(~copies)


def _numbered(topics: Sequence[str]) -> tuple[list[str], Labels]:
    names, labels = np.unique(np.array(topics, dtype=str), return_inverse=True)
    return names.tolist(), labels.astype(np.int64)


def _confusion(true: Labels, said: Labels, topics: int) -> NDArray[np.int64]:
    return np.bincount(true * topics + said, minlength=topics * topics).reshape(topics, topics)


def _f1(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each topic; NaN where no song of it was asked about."""
    hits, there, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return np.where(there > 0, 2 * hits / np.maximum(there + said, 1), np.nan)


def _macro(tables: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    return np.array([np.nanmean(_f1(table)) for table in tables])


def _contender(
    name: str, tables: Sequence[NDArray[np.int64]], topics: list[str], linear: NDArray[np.float64]
) -> Contender:
    accuracy = np.array([np.trace(table) / max(1, table.sum()) for table in tables])
    macro, by_seed = _macro(tables), np.stack([_f1(table) for table in tables])
    asked = ~np.isnan(by_seed).all(axis=0)
    by_topic = np.full(len(topics), np.nan)
    by_topic[asked] = np.nanmean(by_seed[:, asked], axis=0)
    worst = int(np.nanargmin(by_topic))
    scores = [
        Score(round(float(a), 4), round(float(m), 4), round(float(np.nanmin(f)), 4), topics[int(np.nanargmin(f))])
        for a, m, f in zip(accuracy, macro, by_seed, strict=True)
    ]
    return Contender(
        name=name,
        accuracy=round(float(accuracy.mean()), 4),
        accuracy_sd=round(float(accuracy.std()), 4),
        macro_f1=round(float(macro.mean()), 4),
        macro_f1_sd=round(float(macro.std()), 4),
        worst_f1=round(float(by_topic[worst]), 4),
        worst=topics[worst],
        by_topic={topic: round(float(f1), 4) for topic, f1 in zip(topics, by_topic, strict=True) if f1 == f1},
        above_linear=round(float((macro - linear).mean()), 4),
        seeds=scores,
        confusion=np.sum(tables, axis=0).tolist(),
    )
