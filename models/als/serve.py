"""Fold-in: a listener's vector from their weights and the fixed item factors. numpy only, nothing is trained here.

x = (YᵀY + λI + Yᵤᵀ(C−I)Yᵤ)⁻¹ Yᵤᵀ C p   (Hu, Koren, Volinsky 2008, eq. 4), the very equation that `fit` solves for the
listeners it trains on, so a listener of the training set folded in has the factor that training would give.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.als.settings import AlsSettings, confidence
from models.ids import short
from models.profile import ProfileView
from models.release import Release
from models.taste import DAY, UNIT

Weighted = tuple[NDArray[np.int64], NDArray[np.floating]]  # rows of the catalogue (−1: unknown), weights in plays


_READ = ("alpha", "max_tracks", "regularization")  # a newer trainer may have written more, which is no concern here


class FoldIn:
    """Fixed item factors (items, factors) and their gram YᵀY, ready to fold listeners in."""

    def __init__(self, factors: NDArray[np.float32], gram: NDArray[np.float32], settings: AlsSettings) -> None:
        self._factors = factors
        self._base = (gram + settings.regularization * np.eye(gram.shape[0])).astype(np.float32)
        self._alpha = settings.alpha
        self._most = settings.max_tracks

    @classmethod
    def of(cls, release: Release) -> "FoldIn":
        """With a release's factors and the settings that they were fitted with."""
        known = {name: value for name, value in release.manifest.settings["als"].items() if name in _READ}
        return cls(release.factors, release.gram, msgspec.convert(known, AlsSettings))

    def vectors(self, listeners: Sequence[Weighted]) -> NDArray[np.float32]:
        """One vector a listener, (len(listeners), factors); zeros for one of whom no item says anything.

        Rows that are no item (−1, or beyond the factors) are left out; of the rest the `max_tracks` strongest count.
        """
        chosen = [self._strongest(rows, weights) for rows, weights in listeners]
        return self.solved([(rows, confidence(weights, self._alpha)) for rows, weights in chosen])

    def solved(self, listeners: Sequence[Weighted]) -> NDArray[np.float32]:
        """The same from signed confidences instead of weights, of rows that are all items; none is left out."""
        width = self._base.shape[0]
        left = np.empty((len(listeners), width, width), dtype=np.float32)
        right = np.zeros((len(listeners), width), dtype=np.float32)
        for at, (rows, signed) in enumerate(listeners):
            chosen = self._factors.take(rows, axis=0)  # (tracks, factors); sooner than by index
            left[at] = self._base + (chosen.T * (np.abs(signed) - 1.0)) @ chosen
            right[at] = np.maximum(signed, 0.0) @ chosen
        if not len(listeners) or not width:
            return right
        solved: NDArray[np.float32] = np.linalg.solve(left, right[..., None])[..., 0]
        return solved

    def _strongest(
        self, rows: NDArray[np.int64], weights: NDArray[np.floating]
    ) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        usable = (rows >= 0) & (rows < len(self._factors)) & (weights != 0)
        rows, weights = rows[usable], weights[usable]
        if len(rows) > self._most:
            kept = np.argpartition(-np.abs(weights), self._most)[: self._most]
            rows, weights = rows[kept], weights[kept]
        return rows, weights


def taste_weights(view: ProfileView, half_life_days: float) -> NDArray[np.float64]:
    """A profile's track weights in plays, decayed to its newest listen, as ALS is trained on them.

    A banned track weighs nothing.
    """
    age = view.newest - view.steps
    weights = view.weights / UNIT * np.exp2(-age / (half_life_days * DAY))
    if len(view.banned):
        weights[np.isin(view.tracks, short(view.banned))] = 0.0
    return np.asarray(weights, dtype=np.float64)
