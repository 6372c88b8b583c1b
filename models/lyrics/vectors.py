"""Song vectors three ways, and which finds songs best by a line that it has not seen.

song model   models.lyrics.song_model: a song's row of the last layer
tfidf-svd    latent semantic analysis: TF-IDF of words, cut to its first singular vectors (Deerwester et al. 1990)
static       word vectors from positive pointwise mutual information (Levy & Goldberg 2014), a song being their mean
             weighted by how rare a word is, without their common direction (Arora et al. 2017)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.lyrics.encoder import Encoder, Matrix, unit
from models.lyrics.packed import FIRST, Packed, Vocabulary
from models.lyrics.settings import LyricsSettings

WITHIN = 10
NEAR = 5  # words to either side that a word is seen beside
RARE = 1e-3  # a word of this share of all words weighs a half
BLOCK = 512
UNASKED = "static"  # shipped where there was no line to ask: mostly the best where there are some
NOTHING = np.empty(0, dtype=np.float32)

Songs = Sequence[Sequence[str]]
Progress = Callable[[float], None]


class Vectors(NamedTuple):
    """A vector of length 1 a song, and what puts a line among them."""

    songs: Matrix
    encoder: Encoder


def recall(made: Vectors, lines: Songs, of: NDArray[np.int64]) -> float:
    """Share of `lines` whose song (`of`) is among the first WITHIN by inner product. Nothing asked: 0."""
    if not len(of):
        return 0.0
    asked = made.encoder.encode(lines)
    hits = 0
    for at in range(0, len(asked), BLOCK):
        scores = asked[at : at + BLOCK] @ made.songs.T
        own = scores[np.arange(len(scores)), of[at : at + BLOCK]]
        # A line without a known word scores 0 everywhere: that is no hit.
        hits += int((((scores >= own[:, None]).sum(axis=1) <= WITHIN) & (own > 0)).sum())
    return hits / len(of)


def best(recalls: Mapping[str, float], asked: int) -> str:
    """The way to ship, by what each found of `asked` lines."""
    return max(recalls, key=lambda name: recalls[name]) if asked else UNASKED


def song_model(songs: Songs, settings: LyricsSettings, progress: Progress) -> Vectors:
    """Taught for `epochs`."""
    from models.lyrics.song_model import SongModel

    vocabulary, packed = _packed(songs, settings)
    model = SongModel(packed, len(vocabulary), settings.dimensions, settings.seed, settings.threads)
    for epoch in range(settings.epochs):
        model.epoch()
        progress((epoch + 1) / settings.epochs)
    words, dense, bias = model.weights()
    weights = np.ones(len(vocabulary), dtype=np.float32)
    return Vectors(unit(model.outputs()), Encoder(vocabulary, weights, words, dense, bias))


def tfidf_svd(songs: Songs, settings: LyricsSettings, progress: Progress) -> Vectors:
    """TF-IDF of words and its first singular vectors."""
    vocabulary, packed = _packed(songs, settings)
    counts = _counts(packed, len(vocabulary))
    df = np.asarray((counts > 0).sum(axis=0)).ravel()
    idf = np.log((1 + len(packed)) / (1 + df)) + 1
    idf[:FIRST] = 0.0
    weighted = counts.multiply(idf).tocsr()
    lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1)).A1 if len(packed) else np.empty(0)
    scaled = csr_matrix(weighted.multiply(1 / np.maximum(lengths, 1e-12)[:, None]))
    progress(0.3)
    directions = _directions(scaled, settings)
    encoder = Encoder(vocabulary, idf.astype(np.float32), directions, NOTHING, NOTHING)
    progress(1.0)
    return Vectors(unit(scaled @ directions), encoder)


def static(songs: Songs, settings: LyricsSettings, progress: Progress) -> Vectors:
    """Word vectors made here of which words stand near which."""
    vocabulary, packed = _packed(songs, settings)
    size = len(vocabulary)
    of = np.repeat(np.arange(len(packed)), packed.lengths())
    pairs = csr_matrix((size, size), dtype=np.float64)
    for step in range(1, NEAR + 1):
        same = of[step:] == of[:-step]
        one, two = packed.words[:-step][same], packed.words[step:][same]
        beside = csr_matrix((np.ones(2 * len(one)), (np.append(one, two), np.append(two, one))), shape=(size, size))
        pairs = csr_matrix(pairs + beside)
        progress(0.1 * step)
    share = np.bincount(packed.words, minlength=size) / max(1, len(packed.words))
    weights = (RARE / (RARE + share)).astype(np.float32)
    weights[:FIRST] = 0.0
    words = unit(_directions(_information(pairs), settings))
    counts = _counts(packed, size)
    mean = (counts @ (words * weights[:, None])) / np.maximum(packed.lengths(), 1)[:, None]
    common = np.linalg.svd(mean.T @ mean)[0][:, :1] if len(mean) else np.zeros((settings.dimensions, 1))
    words = (words - words @ common @ common.T).astype(np.float32)
    encoder = Encoder(vocabulary, weights, words, NOTHING, NOTHING)
    progress(1.0)
    return Vectors(unit(mean - mean @ common @ common.T), encoder)


WAYS: dict[str, Callable[[Songs, LyricsSettings, Progress], Vectors]] = {
    "song_model": song_model,
    "tfidf_svd": tfidf_svd,
    "static": static,
}


def _packed(songs: Songs, settings: LyricsSettings) -> tuple[Vocabulary, Packed]:
    vocabulary = Vocabulary.fit(songs, settings.vocabulary, min_songs=2)
    return vocabulary, vocabulary.pack(songs, settings.length)


def _counts(packed: Packed, size: int) -> csr_matrix:
    found = csr_matrix((np.ones(len(packed.words)), packed.words, packed.starts), shape=(len(packed), size))
    found.sum_duplicates()
    return found


def _information(pairs: csr_matrix) -> csr_matrix:
    """Positive pointwise mutual information: max(0, ln p(i, j) / (p(i) p(j)))."""
    total, each = pairs.sum(), np.asarray(pairs.sum(axis=1)).ravel()
    cells = pairs.tocoo()
    values = np.log(cells.data * total / (each[cells.row] * each[cells.col]))
    kept = values > 0
    return csr_matrix((values[kept], (cells.row[kept], cells.col[kept])), shape=pairs.shape)


def _directions(matrix: csr_matrix, settings: LyricsSettings) -> Matrix:
    """(columns, dimensions): the right singular vectors, of a matrix of words those scaled by √σ."""
    from sklearn.decomposition import TruncatedSVD

    count = min(settings.dimensions, min(matrix.shape) - 1)
    model = TruncatedSVD(count, random_state=settings.seed, n_iter=4).fit(matrix)
    found = model.components_.T
    if matrix.shape[0] == matrix.shape[1]:
        found = found * np.sqrt(model.singular_values_)
    padded = np.zeros((matrix.shape[1], settings.dimensions), dtype=np.float32)
    padded[:, :count] = found
    return padded
