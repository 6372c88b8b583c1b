"""The lyrics part of a release: what is known of songs by their words. Never the words themselves.

lyrics.json            what was chosen: topics, the classifier, the kind of vectors, how text was cleaned
lyrics_songs.parquet   a row a song with lyrics: row of the catalogue, language, topic label, sentiment, cluster, words;
                       no label and no sentiment of songs in another language
lyrics_topics.npy      float32 (songs, topics): probabilities; rows of songs in another language are 0
lyrics_vectors.npy     float32 (songs, d) of length 1; 0 for songs in another language
lyrics_centres.npy     float32 (clusters, d)
lyrics.faiss           inner-product index over the vectors; its ids are rows of lyrics_songs.parquet
lyrics_terms.parquet, lyrics_topics.onnx   the classifier, where there is one (models.lyrics.serve)
lyrics_words.parquet, lyrics_encoder.npz   what puts a line among the vectors (models.lyrics.encoder)
"""

from copy import copy
from pathlib import Path
from typing import Literal

import faiss
import msgspec
import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from models.catalogue import SENTIMENT
from models.lyrics.encoder import Encoder, Matrix

ABOUT, SONGS, PROBABILITIES = "lyrics.json", "lyrics_songs.parquet", "lyrics_topics.npy"
VECTORS, CENTRES, INDEX = "lyrics_vectors.npy", "lyrics_centres.npy", "lyrics.faiss"
TERMS, GRAPH = "lyrics_terms.parquet", "lyrics_topics.onnx"
WORDS, ENCODER = "lyrics_words.parquet", "lyrics_encoder.npz"
ENGLISH = "en"  # the language that is read; songs in others are only marked
REQUIRED = (ABOUT, SONGS, PROBABILITIES, VECTORS, CENTRES, INDEX, WORDS, ENCODER)
COLUMNS = {
    "row": pl.Int32,
    "language": pl.String,
    "topic": pl.String,  # its label, where one is known
    "sentiment": pl.Float32,  # null in another language; releases made before have 0 there
    "cluster": pl.Int32,
    "words": pl.Int32,  # cleaned ones
}


def with_sentiment(catalogue: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """The catalogue with how each song feels, where `folder` has a lyrics part; else as it is."""
    if not (folder / ABOUT).exists():
        return catalogue
    songs = pl.read_parquet(folder / SONGS).filter(pl.col("language") == ENGLISH)
    felt = songs.select(pl.col("row").cast(pl.UInt32), pl.col("sentiment").alias(SENTIMENT))
    numbered = catalogue.with_row_index("row").join(felt, on="row", how="left", maintain_order="left")
    return numbered.drop("row")


class TooFew(ValueError):
    """The songs are of too few topics or artists to teach and to judge on; the text says what is needed."""


class About(Struct, frozen=True):
    """`lyrics.json`."""

    topics: list[str]  # columns of lyrics_topics.npy; none: no classifier could be taught
    classifier: str  # which of models.lyrics.fit.CONTENDERS; "": none
    vectors: str  # which of models.lyrics.vectors.WAYS
    words: Literal["lemma", "stem", "plain"]
    stop_words: bool


class Songs:
    """The part in memory. Song s is row `rows[s]` of the catalogue; read only."""

    def __init__(self, folder: Path, tracks: int) -> None:
        """Raises ValueError when the files do not belong together or to a catalogue of so many tracks."""
        self._folder = folder
        self.about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
        frame = pl.read_parquet(folder / SONGS).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
        self.rows: NDArray[np.int64] = frame["row"].to_numpy().astype(np.int64)
        self.languages: list[str] = frame["language"].to_list()
        self.labels: list[str | None] = frame["topic"].to_list()
        self.sentiment: NDArray[np.float32] = frame["sentiment"].to_numpy()  # NaN: not known
        self.clusters: NDArray[np.int64] = frame["cluster"].to_numpy().astype(np.int64)
        self.probabilities: Matrix = np.load(folder / PROBABILITIES, allow_pickle=False)
        self.vectors: Matrix = np.load(folder / VECTORS, allow_pickle=False)
        self.centres: Matrix = np.load(folder / CENTRES, allow_pickle=False)
        self.index = faiss.read_index(str(folder / INDEX))
        self._check(tracks)
        self.song_of = np.full(tracks, -1, dtype=np.int64)  # of each row of the catalogue; −1: no lyrics
        self.song_of[self.rows] = np.arange(len(self.rows))

    def _check(self, tracks: int) -> None:
        count = len(self.rows)
        shapes = {
            PROBABILITIES: self.probabilities.shape == (count, len(self.about.topics)),
            VECTORS: self.vectors.ndim == 2 and len(self.vectors) == count,
            CENTRES: self.centres.shape[1:] == self.vectors.shape[1:],
            INDEX: self.index.ntotal == count,
            SONGS: len(np.unique(self.rows)) == count and bool(((self.rows >= 0) & (self.rows < tracks)).all()),
        }
        for name, fits in shapes.items():
            if not fits:
                raise ValueError(f"{name} does not fit the other files of the lyrics part")
        if not (np.isfinite(self.vectors).all() and np.isfinite(self.probabilities).all()):
            raise ValueError(f"{VECTORS} or {PROBABILITIES} holds a value that is not finite")

    def of_tracks(self, tracks: int) -> "Songs":
        """The same part beside a catalogue that has grown to so many tracks."""
        more = copy(self)
        more.song_of = np.append(self.song_of, np.full(tracks - len(self.song_of), -1, dtype=np.int64))
        return more

    def encoder(self) -> Encoder:
        """What puts a line among the vectors; read when it is asked for."""
        return Encoder.load(self._folder / WORDS, self._folder / ENCODER)


def load(folder: Path, files: dict[str, object] | set[str], tracks: int) -> Songs | None:
    """The lyrics part, if the release has one. Raises ValueError when it is not whole."""
    if ABOUT not in files:
        return None
    for name in REQUIRED:
        if name not in files:
            raise ValueError(f"{name} is missing from the lyrics part")
    return Songs(folder, tracks)
