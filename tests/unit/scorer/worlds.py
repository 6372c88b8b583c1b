"""Small worlds with a known right answer: releases and profiles made up on the spot."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.als.fit import fit
from models.als.settings import AlsSettings
from models.catalogue import COLUMNS
from models.index import build
from models.neighbours.table import Table
from models.profile import Profile, ProfileView
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
from schemas.events import Kind, Listen
from schemas.release import Manifest

NOON = 1_704_110_400  # 2024-01-01 12:00 UTC, s
SIDE = 20  # of the checkerboard
TASTE = TasteSettings()


def frame(titles: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """A catalogue of (title, artist), most popular first; track ids are t0, t1, …"""
    count = len(titles)
    columns = {
        "track_id": [f"t{row}" for row in range(count)],
        "title": [title for title, _ in titles],
        "artist": [artist for _, artist in titles],
        "release": [None] * count,
        "year": [None] * count,
        "duration_ms": [None] * count,
        "genre": [None] * count,
        "popularity": [1.0 / (row + 1) for row in range(count)],
        "listeners": [count - row for row in range(count)],
        "plays": [count - row for row in range(count)],
        "skips": [row % 3 for row in range(count)],
        "recent_listeners": [(count - row) // 2 for row in range(count)],
    }
    return pl.DataFrame(columns, schema=COLUMNS)


Links = dict[int, dict[int, float]]  # row -> what comes after it, or is played around it, with its weight


def table(size: int, links: Links | None = None) -> Table:
    """A table of the first `size` rows: the strongest link of each row first."""
    ordered = [sorted((links or {}).get(row, {}).items(), key=lambda link: (-link[1], link[0])) for row in range(size)]
    flat = [link for row in ordered for link in row]
    return Table(
        np.cumsum([0, *map(len, ordered)]).astype(np.int64),
        np.array([row for row, _ in flat], dtype=np.int32),
        np.array([weight for _, weight in flat], dtype=np.float32),
    )


def write_release(
    folder: Path,
    catalogue: pl.DataFrame,
    factors: NDArray[np.float32],
    als: AlsSettings | None = None,
    followers: Links | None = None,
    neighbours: Links | None = None,
) -> str:
    """Publish a release of these parts at `folder`; returns the SHA-256 of its manifest."""
    aside = make_aside(folder)
    als = als or AlsSettings(factors=max(1, factors.shape[1]))
    catalogue.write_parquet(aside / CATALOGUE)
    np.save(aside / FACTORS, factors)
    np.save(aside / GRAM, factors.T @ factors)
    index, _ = build(factors, factors, als.exact_items, als.min_recall, 1)
    faiss.write_index(index, str(aside / INDEX))
    table(len(catalogue), followers).save(aside / FOLLOWERS)
    table(len(catalogue), neighbours).save(aside / NEIGHBOURS)
    settings = {"als": msgspec.to_builtins(als), "taste": msgspec.to_builtins(TASTE)}
    return publish(
        aside, folder, Manifest(folder.name, FORMAT, NOON * 1000, {}, len(catalogue), 0, 0, {}, settings, {}, {})
    )


def make_release(
    folder: Path,
    titles: Sequence[tuple[str, str]],
    factors: NDArray[np.float32],
    als: AlsSettings | None = None,
    followers: Links | None = None,
    neighbours: Links | None = None,
) -> Release:
    """The same, loaded."""
    return load(folder, write_release(folder, frame(titles), factors, als, followers, neighbours))


def checkerboard_parts() -> tuple[list[tuple[str, str]], NDArray[np.float32], AlsSettings]:
    """Listener u plays every item i with (u + i) even, but not item u: the one right answer for listener u."""
    users, items = np.array([(u, i) for u in range(SIDE) for i in range(SIDE) if (u + i) % 2 == 0 and u != i]).T
    als = AlsSettings(factors=2, alpha=4.0, regularization=0.01, iterations=20)  # the board has rank 2
    factors, als = fit(users, items, np.ones(len(users)), (SIDE, SIDE), als, threads=1)
    return [(f"Song {row}", f"Artist {row}") for row in range(SIDE)], factors, als


def checkerboard(folder: Path) -> Release:
    titles, factors, als = checkerboard_parts()
    return make_release(folder, titles, factors, als)


def listen(track: str, at: int, kind: Kind = "play", artist: str | None = None, **more: object) -> Listen:
    event = f"{track} {kind} {at} {artist}"
    listen = Listen(event, "ann", track, at * 1000, kind, artist)
    return msgspec.structs.replace(listen, **more) if more else listen


def profile(listens: Iterable[Listen]) -> Profile:
    """Fold listens, offset after offset."""
    folded = Profile()
    for offset, each in enumerate(listens):
        fold(folded, each, offset, TASTE)
    return folded


def view(listens: Iterable[Listen]) -> ProfileView:
    return ProfileView(profile(listens).encode())


def player_of(tracks: Iterable[int], start: int = NOON - 30 * 86_400, step: int = 86_400) -> ProfileView:
    """Someone who played each of these rows once, a day apart, oldest first."""
    return view(listen(f"t{row}", start + at * step) for at, row in enumerate(tracks))
