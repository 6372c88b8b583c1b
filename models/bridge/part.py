"""Factors of tracks that nobody has played: an optional part of a release, in files of its own.

bridge_rows.npy      int64 (n): which rows of the catalogue, rising; none of them has factors of its own
bridge_factors.npy   float32 (n, factors): what their content speaks for, in the space of als_factors.npy

They stand beside the factors that listeners made, not among them: no listener's vector is folded in by them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.audio import part as audio
from models.bridge.content import Content, Rows
from models.bridge.fit import bridge
from models.bridge.settings import BridgeSettings
from models.lyrics import songs

ROWS, FACTORS = "bridge_rows.npy", "bridge_factors.npy"
FILES = (ROWS, FACTORS)


class Cold(NamedTuple):
    """The part in memory."""

    rows: Rows
    factors: NDArray[np.float32]


def add(
    catalogue: pl.DataFrame, factors: NDArray[np.float32], aside: Path, settings: BridgeSettings
) -> dict[str, dict[str, float]]:
    """Write the part into `aside`, where the parts of sounds and lyrics are already; what was measured.

    Nothing is written, and nothing measured, where there is no such track or nothing to learn from.
    """
    cold = np.flatnonzero((catalogue["plays"] == 0).to_numpy() & (np.arange(catalogue.height) >= len(factors)))
    if not len(cold) or len(factors) < settings.least:
        return {}
    present = {path.name for path in aside.iterdir()}
    sounds = None
    if audio.ROWS in present:
        sounds = np.load(aside / audio.ROWS, allow_pickle=False), np.load(aside / audio.VECTORS, allow_pickle=False)
    content = Content(catalogue, factors, sounds, songs.load(aside, present, catalogue.height), settings)
    made = bridge(content, factors, cold, settings)
    if not len(made.rows):
        return {}
    np.save(aside / ROWS, made.rows, allow_pickle=False)
    np.save(aside / FACTORS, made.factors, allow_pickle=False)
    return {"bridge": made.measured}


def load(folder: Path, files: set[str], tracks: int, shape: tuple[int, int]) -> Cold | None:
    """The part, if the release has one. `shape`: of the factors. Raises ValueError when it does not fit the release."""
    if not all(name in files for name in FILES):
        return None
    rows: Rows = np.load(folder / ROWS, allow_pickle=False)
    factors: NDArray[np.float32] = np.load(folder / FACTORS, allow_pickle=False)
    items, width = shape
    if factors.shape != (len(rows), width) or not np.isfinite(factors).all():
        raise ValueError(f"{FACTORS} does not fit {ROWS} or the release's factors")
    if len(rows) and (np.any(np.diff(rows) <= 0) or rows[0] < items or rows[-1] >= tracks):
        raise ValueError(f"{ROWS} names rows that have factors, or that the catalogue has not")
    return Cold(rows, factors)
