"""Listeners in batches, and what a source proposes to them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.profile import ProfileView
from models.release import Release
from models.sources.base import Batch, Candidates, Listener, Source
from models.sources.reading import Reader
from models.sources.settings import ListSettings
from models.sources.shelf import Shelf
from models.sources.signals import Signals
from tests.unit.scorer.worlds import (
    TASTE,
    Links,
    frame,
    make_release,
    table,
)

DAY = 86_400
TWELVE = [(f"Song {row}", f"Artist {row}") for row in range(12)]


def thirty() -> Shelf:
    return Shelf(Catalogue(frame([(f"Song {row}", f"Artist {row // 3}") for row in range(30)])))


def read(shelf: Shelf, *views: ProfileView | None, **settings: object) -> list[Listener]:
    chosen = ListSettings(**{"just_played": 0, "just_played_minutes": 0, **settings})  # type: ignore[arg-type]
    return Reader(shelf, chosen, TASTE.half_life_days).read(views)


def batch(
    shelf: Shelf,
    listeners: list[Listener],
    vectors: NDArray[np.float32] | None = None,
    followers: Links | None = None,
    neighbours: Links | None = None,
) -> Batch:
    """Of listeners without a vector, in a release without tables, unless told."""
    tables = table(len(shelf), followers), table(len(shelf), neighbours)
    vectors = np.zeros((len(listeners), 1), dtype=np.float32) if vectors is None else vectors
    return Batch(shelf, listeners, vectors, [Signals(listener, *tables, shelf.scratch) for listener in listeners])


def propose(source: Source, shelf: Shelf, seen: ProfileView, quota: int = 10) -> Candidates:
    return source.candidates(batch(shelf, read(shelf, seen)), quota)[0]


def rows(candidates: Candidates) -> list[int]:
    return candidates.rows.tolist()


def line(folder: Path, count: int = 12) -> Release:
    """Tracks on a fan: the nearer two rows, the nearer their directions."""
    angles = np.linspace(0, np.pi / 2, count)
    factors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return make_release(folder, [(f"Song {row}", f"Artist {row}") for row in range(count)], factors)
