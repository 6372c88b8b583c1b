"""A lyrics part made by hand, and made-up songs whose words tell their topic."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.lyrics import songs
from models.lyrics.encoder import Encoder, unit
from models.lyrics.packed import Vocabulary
from models.lyrics.songs import About, Songs

TOPICS = ("love", "night", "war")
WORDS = {
    "love": "kiss heart darling sweet honey embrace tender lover adore cherish",
    "night": "moon midnight dark star shadow dream sleep lantern dusk twilight",
    "war": "soldier battle gun blood army bullet bomb trench fight sword",
}
COMMON = "river road house window train mountain summer winter water garden letter mother city"


def write_part(
    folder: Path,
    rows: Sequence[int],
    vectors: NDArray[np.floating],
    labels: Sequence[str | None] | None = None,
    probabilities: NDArray[np.floating] | None = None,
    clusters: Sequence[int] | None = None,
    topics: Sequence[str] = TOPICS,
    languages: Sequence[str] | None = None,
) -> None:
    """The files of a lyrics part of these songs."""
    folder.mkdir(parents=True, exist_ok=True)
    count = len(rows)
    table = np.zeros((count, len(topics))) if probabilities is None else probabilities
    of = np.zeros(count, dtype=int) if clusters is None else np.array(clusters)
    placed = unit(np.asarray(vectors, dtype=np.float32))
    about = About(list(topics), "linear", "static", "plain", stop_words=False)
    (folder / songs.ABOUT).write_bytes(msgspec.json.encode(about))
    columns = {
        "row": list(rows), "language": list(languages or ["en"] * count), "topic": list(labels or [None] * count),
        "sentiment": [0.5] * count, "cluster": of.tolist(), "words": [9] * count,
    }  # fmt: skip
    pl.DataFrame(columns, schema=songs.COLUMNS).write_parquet(folder / songs.SONGS)
    np.save(folder / songs.PROBABILITIES, table.astype(np.float32))
    np.save(folder / songs.VECTORS, placed)
    centres = [placed[of == cluster].mean(axis=0) for cluster in range(of.max() + 1)]
    np.save(folder / songs.CENTRES, unit(np.array(centres)))
    index = faiss.IndexFlatIP(placed.shape[1])
    index.add(placed)
    faiss.write_index(index, str(folder / songs.INDEX))
    size = placed.shape[1]
    vocabulary = Vocabulary([f"word{letter}" for letter in "abcdefghij"[:size]])
    words = np.concatenate((np.zeros((2, size)), np.eye(size))).astype(np.float32)
    nothing = np.empty(0, dtype=np.float32)
    Encoder(vocabulary, np.ones(size + 2, dtype=np.float32), words, nothing, nothing).save(
        folder / songs.WORDS, folder / songs.ENCODER
    )


def part(folder: Path, tracks: int, rows: Sequence[int], vectors: NDArray[np.floating], **more: object) -> Songs:
    """The same, loaded."""
    write_part(folder, rows, vectors, **more)  # type: ignore[arg-type]  # of a test
    return Songs(folder, tracks)


def sung(topic: str, rng: np.random.Generator, lines: int = 8) -> str:
    """Lyrics about a topic: two of its words in each line of five."""
    own, common = WORDS[topic].split(), COMMON.split()
    return "\n".join(
        " ".join([*rng.choice(own, 2, replace=False), *rng.choice(common, 3, replace=False)]) for _ in range(lines)
    )


def tracks(count: int, seed: int = 7) -> pl.DataFrame:
    """Tracks of three topics in turn, two of each artist; the last of every seven is not labelled."""
    rng = np.random.default_rng(seed)
    topics = [TOPICS[at % 3] for at in range(count)]
    return pl.DataFrame(
        {
            "track_id": [f"t{at}" for at in range(count)],
            "title": [f"Song {at}" for at in range(count)],
            "artist": [f"Artist {at // 2}" for at in range(count)],
            "lyrics": [sung(topic, rng) for topic in topics],
            "labels": [None if at % 7 == 6 else f'{{"topic":"{topic}"}}' for at, topic in enumerate(topics)],
        }
    )


def dies(_made: object) -> NoReturn:
    """A contestant of the record that ends its process."""
    os._exit(3)


def told(path: Path) -> str:
    """What a file says, for who looks for words in it: tables are compressed, so a line is not among their bytes."""
    if path.suffix == ".parquet":
        return "\n".join(str(value) for row in pl.read_parquet(path).rows() for value in row)
    return path.read_bytes().decode("utf-8", errors="replace")
