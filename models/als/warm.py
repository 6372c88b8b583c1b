"""Beginning ALS where an earlier release ended: most tracks' factors are nearly right already."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.als.settings import AlsSettings
from models.ids import key_of
from models.release import Release

LEAST_KNOWN = 0.5  # share of the tracks that must have had factors: below, a start by chance is as near
SMALL = 0.01  # what implicit begins with: uniform in [0, 0.01)


class Start(NamedTuple):
    """Where a fit begins. Also told in the manifest."""

    release_id: str
    factors: NDArray[np.float32]  # (items, factors); NaN in the rows of tracks that had none
    iterations: int  # fewer than from nothing

    @property
    def known(self) -> int:
        """Tracks that begin with the factors they had."""
        return int((~np.isnan(self.factors).any(axis=1)).sum())

    def filled(self, seed: int) -> NDArray[np.float32]:
        """All factors, by chance for a track that had none."""
        chance = np.random.default_rng(seed).random(self.factors.shape, dtype=np.float32) * np.float32(SMALL)
        return np.where(np.isnan(self.factors), chance, self.factors)


def start(before: Release | None, tracks: list[str], settings: AlsSettings) -> Start | None:
    """The factors that `tracks` (in the order of the rows to be fitted) had in `before`, found by their keys.

    None, to begin from nothing, when there is no such release, it has another number of factors, it knows fewer than
    LEAST_KNOWN of the tracks, or `warm_iterations` is 0. Spark always begins from nothing.
    """
    if settings.engine == "spark":
        return None
    if before is None or not tracks or not settings.warm_iterations or before.factors.shape[1] != settings.factors:
        return None
    rows = before.catalogue.rows_of(np.array([key_of(track) for track in tracks], dtype=np.int64))
    known = (rows >= 0) & (rows < len(before.factors))
    if known.mean() < LEAST_KNOWN:
        return None
    factors = np.full((len(tracks), settings.factors), np.nan, dtype=np.float32)
    factors[known] = before.factors[rows[known]]
    return Start(before.id, factors, settings.warm_iterations)
