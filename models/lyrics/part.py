"""Making the lyrics part of a release: from tracks with lyrics to the files that models.lyrics.songs tells of."""

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.lyrics import songs
from models.lyrics.settings import LyricsSettings
from models.lyrics.songs import ENGLISH, About, TooFew

log = logging.getLogger(__name__)

TASK = "topic"  # the label of a `Track` that names it
NEEDED = {
    "torch": "segue[neural]", "sklearn": "segue[lyrics]", "simplemma": "segue[lyrics]", "py3langid": "segue[lyrics]",
    "stop_words": "segue[lyrics]", "snowballstemmer": "segue[lyrics]", "inflect": "segue[lyrics]",
    "vaderSentiment": "segue[lyrics]", "onnxruntime": "segue[lyrics]", "onnxscript": "segue[neural]",
}  # fmt: skip

_SUNG = pl.col("lyrics").str.strip_chars().str.len_bytes() > 0

Metrics = dict[str, dict[str, float]]
Progress = Callable[[float], None]
Lines = list[list[str]]  # cleaned words of each line of a song


class Read(NamedTuple):
    """Songs with lyrics, parallel."""

    rows: NDArray[np.int64]  # of the catalogue
    artists: list[str]
    labels: list[str | None]
    languages: list[str]
    sentiment: list[float | None]  # None: of another language
    lines: list[Lines]

    def words(self, at: int) -> list[str]:
        """All words of a song."""
        return [word for line in self.lines[at] for word in line]


def add(
    tracks: pl.DataFrame, catalogue: pl.DataFrame, aside: Path, settings: LyricsSettings, progress: Progress
) -> Metrics:
    """Write the part into `aside`, a release under way whose rows are `catalogue`'s; what was measured.

    `tracks`: track_id, and where known lyrics and labels (JSON, task -> class); `enough` of them. Writes nothing
    where a package is missing, which is logged, or where fewer than `min_songs` are in English.
    """
    found = _with_lyrics(tracks, catalogue)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        extras = " and ".join(sorted({NEEDED[name] for name in missing}))
        log.warning(
            "%d tracks have lyrics, but this release has no lyrics part: %s missing; pip install %s",
            found.height, ", ".join(missing), extras,
        )  # fmt: skip
        return {}
    read = _read(found, settings, lambda done: progress(0.2 * done))
    english = np.array([at for at, language in enumerate(read.languages) if language == ENGLISH], dtype=np.int64)
    if len(english) < settings.min_songs:
        log.info("%d songs with lyrics, too few of them in English: no lyrics part", found.height)
        return {}
    metrics: Metrics = {"lyrics": {"songs": float(found.height), "other_languages": float(found.height - len(english))}}
    topics, classifier = _topics(read, english, aside, settings, metrics, lambda done: progress(0.2 + 0.4 * done))
    # A label that is no topic may be anything, in a broken file the rest of a song: it is not written.
    languages = zip(read.labels, read.languages, strict=True)
    read = read._replace(labels=[label if label in topics and of == ENGLISH else None for label, of in languages])
    kind = _vectors(read, english, aside, settings, metrics, lambda done: progress(0.6 + 0.4 * done))
    about = About(topics, classifier, kind, settings.words, settings.stop_words)
    (aside / songs.ABOUT).write_bytes(msgspec.json.encode(about))
    progress(1.0)
    return metrics


def enough(tracks: pl.DataFrame, settings: LyricsSettings) -> bool:
    """Whether so many tracks have lyrics that a release gets this part."""
    return "lyrics" in tracks.columns and tracks.filter(_SUNG).height >= settings.min_songs


def _with_lyrics(tracks: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """(row, artist, lyrics, labels) in the catalogue's order."""
    labels = pl.col("labels") if "labels" in tracks.columns else pl.lit(None, pl.String).alias("labels")
    given = tracks.filter(_SUNG).select("track_id", "lyrics", labels)
    rows = catalogue.select("track_id", "artist").with_row_index("row")
    return rows.join(given, on="track_id", maintain_order="left").drop("track_id")


def _read(found: pl.DataFrame, settings: LyricsSettings, progress: Progress) -> Read:
    """Tell the languages apart, and clean each by its own rules."""
    from models.lyrics.language import detector
    from models.lyrics.sentiment import sentiment
    from models.lyrics.text import Cleaner

    detect, felt = detector(), sentiment()
    cleaners: dict[str, Cleaner] = {}
    languages, lines = [], []
    feelings: list[float | None] = []
    for at, text in enumerate(found["lyrics"]):
        language = detect(text)
        if language not in cleaners:
            cleaners[language] = Cleaner(settings.words, settings.stop_words, language)
        cleaned = (cleaners[language].words(line) for line in text.splitlines())
        lines.append([words for words in cleaned if words])
        languages.append(language)
        feelings.append(felt(text) if language == ENGLISH else None)
        if at % 100 == 0:
            progress(at / found.height)
    labels = [topic_of(text) for text in found["labels"]]
    return Read(found["row"].to_numpy().astype(np.int64), found["artist"].to_list(), labels, languages, feelings, lines)


def topic_of(labels: str | None) -> str | None:
    """The topic in a track's labels (JSON, task -> class)."""
    return msgspec.json.decode(labels, type=dict[str, str]).get(TASK) if labels else None


def _topics(
    read: Read, english: NDArray[np.int64], aside: Path, settings: LyricsSettings, metrics: Metrics, progress: Progress
) -> tuple[list[str], str]:
    """Choose, teach and write the classifier and every song's probabilities; the topics and its name."""
    from models.lyrics.topics import teach, usual

    words = [read.words(at) for at in english.tolist()]
    labels = [read.labels[at] for at in english.tolist()]
    labelled = usual(labels, words, settings)
    probabilities = np.zeros((len(read.rows), 0), dtype=np.float32)
    topics: list[str] = []
    classifier = ""
    if len({labels[at] for at in labelled}) >= 2:
        artists = [read.artists[at] for at in english.tolist()]
        try:
            taught = teach(words, labels, artists, labelled, settings, aside, progress)
        except TooFew as few:
            log.info("no topic classifier: %s", few)
        else:
            topics, classifier = taught.topics, taught.classifier
            probabilities = np.zeros((len(read.rows), len(topics)), dtype=np.float32)
            probabilities[english] = taught.probabilities
            metrics |= taught.metrics
    elif any(labels):
        log.info("fewer than two topics have %d songs with lyrics: no topic classifier", settings.topic_songs)
    np.save(aside / songs.PROBABILITIES, probabilities, allow_pickle=False)
    return topics, classifier


def _vectors(
    read: Read, english: NDArray[np.int64], aside: Path, settings: LyricsSettings, metrics: Metrics, progress: Progress
) -> str:
    """Choose the vectors that find most songs by a line, make and group them of whole songs, write all; their kind."""
    from models.lyrics.clusters import cluster
    from models.lyrics.record.corpus import split
    from models.lyrics.vectors import WAYS, best, recall

    lines = [read.lines[at] for at in english.tolist()]
    kept, held = split(lines)
    of = np.array([at for at, line in enumerate(held) if line], dtype=np.int64)
    asked = [held[at] for at in of.tolist()]
    found = {}
    for at, (name, way) in enumerate(WAYS.items()):
        found[name] = recall(way(kept, settings, lambda _: None), asked, of)
        progress(0.2 * (at + 1))
    kind = best(found, len(of))
    made = WAYS[kind]([read.words(at) for at in english.tolist()], settings, lambda done: progress(0.6 + 0.3 * done))
    vectors = np.zeros((len(read.rows), made.songs.shape[1]), dtype=np.float32)
    vectors[english] = made.songs
    groups = cluster(vectors, settings.clusters, settings.seed, settings.threads)
    for name, value in found.items():
        metrics[f"lyrics_{name}"] = {"line_recall@10": value, "lines": float(len(of)), "shipped": float(name == kind)}
    metrics["lyrics"] |= {
        "clusters": float(len(groups.centres)),
        "silhouette": groups.silhouette,
        "tree_silhouette": groups.tree_silhouette,
    }
    _write(read, vectors, groups.of, groups.centres, aside)
    made.encoder.save(aside / songs.WORDS, aside / songs.ENCODER)
    return kind


def _write(
    read: Read, vectors: NDArray[np.float32], clusters: NDArray[np.int64], centres: NDArray[np.float32], aside: Path
) -> None:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(aside / songs.INDEX))
    np.save(aside / songs.VECTORS, vectors, allow_pickle=False)
    np.save(aside / songs.CENTRES, centres.astype(np.float32), allow_pickle=False)
    columns: dict[str, Sequence[object]] = {
        "row": read.rows.tolist(),
        "language": read.languages,
        "topic": read.labels,
        "sentiment": read.sentiment,
        "cluster": clusters.tolist(),
        "words": [sum(map(len, lines)) for lines in read.lines],
    }
    pl.DataFrame(columns, schema=songs.COLUMNS).write_parquet(aside / songs.SONGS, compression="zstd")
