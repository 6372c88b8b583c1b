"""A release and profiles that are made up (Zipf popularity, taste groups), so that a measurement runs anywhere."""

from collections.abc import Callable
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl

from models.als.settings import AlsSettings
from models.catalogue import COLUMNS
from models.index import build, search
from models.neighbours.table import Table
from models.profile import Profile
from models.release import (
    CATALOGUE,
    FACTORS,
    FOLLOWERS,
    FORMAT,
    GRAM,
    INDEX,
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
GROUPS = 50
LINKS = 100  # of a track, as SEGUE_NEIGHBOURS_MOST


def quiet(_text: str) -> None:
    """Tell nobody."""


def make(folder: Path, tracks: int, items: int, rng: np.random.Generator, told: Told = quiet) -> Release:
    """Publish and load a release of so many tracks, `items` with factors. `told` hears how its index came out."""
    als = AlsSettings()
    centres = rng.normal(size=(GROUPS, als.factors))
    vectors = centres[rng.integers(GROUPS, size=items)] + 0.7 * rng.normal(size=(items, als.factors))
    scale = 0.3 / np.sqrt(1 + np.arange(items) / 500)
    factors = np.ascontiguousarray(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * scale[:, None], np.float32
    )
    artists = rng.zipf(1.3, size=tracks) % max(1, tracks // 8)
    frame = pl.DataFrame(
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
    aside = make_aside(folder)
    frame.write_parquet(aside / CATALOGUE)
    np.save(aside / FACTORS, factors)
    np.save(aside / GRAM, factors.T @ factors)
    queries = factors[rng.integers(items, size=(256, 20))].mean(axis=1)
    index, measured = build(factors, queries, als.exact_items, als.min_recall, 1)
    told(f"{tracks:,} tracks, {items:,} with factors, {type(index).__name__}: {measured}")
    faiss.write_index(index, str(aside / INDEX))
    links(items, rng).save(aside / NEIGHBOURS)
    links(items, rng).save(aside / FOLLOWERS)
    fitted = {"als": msgspec.to_builtins(als), "taste": msgspec.to_builtins(TasteSettings())}
    publish(aside, folder, Manifest(folder.name, FORMAT, 0, {}, tracks, 0, 0, {}, fitted, {}, {}))
    return load(folder)


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
