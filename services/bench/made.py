"""A release and profiles that are made up (Zipf popularity, taste groups), so that a measurement runs anywhere."""

from collections.abc import Callable
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.catalogue import COLUMNS, keys_of
from models.index import build, search
from models.neighbours.table import Table
from models.profile import Profile
from models.ranker.blend import SIZE, Bends, Blend
from models.ranker.features import NAMES
from models.ranker.taught import BLEND, ranker_file
from models.release import (
    CATALOGUE,
    FACTORS,
    FOLLOWERS,
    FORMAT,
    GRAM,
    INDEX,
    KEYS,
    NEIGHBOURS,
    Release,
    load,
    make_aside,
    publish,
)
from models.taste import TasteSettings, fold
from schemas.events import Listen
from schemas.release import Manifest

Told = Callable[[str], None]
NOON = 1_704_110_400
GROUP = 100  # tracks of one taste
QUERIES = 256
LINKS = 100  # of a track, as SEGUE_NEIGHBOURS_MOST


def quiet(_text: str) -> None:
    """Tell nobody."""


def make(
    folder: Path, tracks: int, items: int, rng: np.random.Generator, told: Told = quiet, *, ranked: bool = False
) -> Release:
    """Publish and load a release of so many tracks, `items` with factors. `told` hears how its index came out.

    `ranked`: it brings a ranker, which puts candidates in no sensible order at the cost of one that was taught.
    """
    als, aside = AlsSettings(), make_aside(folder)
    catalogue = _catalogue(tracks, rng)
    catalogue.write_parquet(aside / CATALOGUE)
    np.save(aside / KEYS, keys_of(catalogue))
    factors = _factors(items, als.factors, rng)
    gram = factors.T @ factors
    np.save(aside / FACTORS, factors)
    np.save(aside / GRAM, gram)
    index, measured = build(factors, _tastes(factors, gram, als, rng), als.exact_items, als.min_recall, 1)
    told(f"{tracks:,} tracks, {items:,} with factors, {type(index).__name__}: {measured}")
    faiss.write_index(index, str(aside / INDEX))
    links(items, rng).save(aside / NEIGHBOURS)
    links(items, rng).save(aside / FOLLOWERS)
    if ranked:
        _ranker(rng).save(aside / ranker_file("for-you", BLEND))
    fitted = {"als": msgspec.to_builtins(als), "taste": msgspec.to_builtins(TasteSettings())}
    publish(aside, folder, Manifest(folder.name, FORMAT, 0, {}, tracks, 0, 0, {}, fitted, {}, {}))
    return load(folder)


def _catalogue(tracks: int, rng: np.random.Generator) -> pl.DataFrame:
    artists = rng.zipf(1.3, size=tracks) % max(1, tracks // 8)
    return pl.DataFrame(
        {
            "track_id": [f"made-up:track:{row:09d}" for row in range(tracks)],
            "title": [f"Song number {row}" + (" (Live)" if row % 11 == 0 else "") for row in range(tracks)],
            "artist": [f"Band {artist}" for artist in artists],
            "release": [None] * tracks,
            "year": [None] * tracks,
            "duration_ms": [None] * tracks,
            "genre": [None] * tracks,
            "popularity": 1 / (1 + np.arange(tracks)),
            "listeners": np.arange(tracks)[::-1],
            "plays": np.arange(tracks)[::-1],
            "skips": np.zeros(tracks, np.int64),
            "recent_listeners": np.arange(tracks)[::-1] // 4,
        },
        schema=COLUMNS,
    )


def _factors(items: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(items, width): directions in groups, lengths falling with popularity."""
    centres = rng.normal(size=(max(1, items // GROUP), width))
    vectors = centres[rng.integers(len(centres), size=items)] + 0.7 * rng.normal(size=(items, width))
    scale = 0.3 / np.sqrt(1 + np.arange(items) / 500)
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * scale[:, None], np.float32)


def _tastes(
    factors: NDArray[np.float32], gram: NDArray[np.float32], als: AlsSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The vectors of listeners as `profile` makes them, (QUERIES, width): what the index will be asked."""
    seeds = factors[rng.integers(min(5_000, len(factors)), size=(QUERIES, 4))]
    best = min(50, len(factors)) - 1
    known = [np.unique(np.argpartition(-(own @ factors.T), best, axis=1)[:, : best + 1]) for own in seeds]
    return FoldIn(factors, gram, als).vectors([(rows, np.full(len(rows), 2.0)) for rows in known])


def _ranker(rng: np.random.Generator) -> Blend:
    sample = rng.gamma(1.0, size=(1_000, len(NAMES))).astype(np.float32)
    return Blend(Bends.of(sample), rng.normal(size=SIZE).astype(np.float32))


def links(items: int, rng: np.random.Generator) -> Table:
    """For each track LINKS others, weights falling: as full as a trained table, and nearer to nothing in particular."""
    rows = rng.integers(items, size=(items, LINKS), dtype=np.int32)
    weights = np.broadcast_to((1 / np.arange(1, LINKS + 1)).astype(np.float32), rows.shape)
    return Table(np.arange(items + 1, dtype=np.int64) * LINKS, rows.ravel(), weights.ravel())


def profile(release: Release, known: int, rng: np.random.Generator) -> Profile:
    """Someone who keeps to a few tracks' neighbourhoods, popular ones first; each known track is played twice."""
    seeds = release.factors[rng.integers(min(5_000, len(release.factors)), size=4)]
    _, near = search(release.index, seeds, known)
    rows = rng.choice(np.unique(near[near >= 0]), size=known)
    folded, taste = Profile(), TasteSettings()
    for offset, row in enumerate(np.concatenate((rows, rng.choice(rows, size=known))).tolist()):
        at = (NOON + offset * 3_600) * 1000
        catalogue = release.catalogue
        listen = Listen(f"e{offset}", "ann", catalogue.track_ids[row], at, "play", catalogue.artists[row])
        fold(folded, listen, offset, taste)
    return folded
