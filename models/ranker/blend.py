"""The blend: a ranker that is linear in bent and crossed features, learned from what listeners went on to play.

score(candidate) = w · φ(x), φ(x) = x, its hinges max(0, x − knot) at four knots, whether it is there at all, itself
once more for known tracks, and the signals of what comes next times what kind of listening this is: a generalised
additive model with a few interactions (Hastie & Tibshirani 1986), fitted as a conditional logit (models.ranker.fit).
The network on the same features ranks better (docs/evaluation.md); this one needs no torch to be taught.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.ranker.features import NAMES

KNOTS = (0.5, 0.8, 0.95, 0.99)  # quantiles of a feature
FLAGS = ("known", "begun", "session", "artist_last", "skipped_last")
CONTEXT = ("going_on", "going_on_5", "same_artist", "repeating", "skipping", "size", "session_size")
CROSSED = (
    "own", "own_pair", "straight", "soon", "around", "alike", "next", "then", "near", "taste", "dot",
    "artist_latest", "artist_last", "session", "back",
    "weight_0.5d", "weight_4d", "age", "known",
)  # fmt: skip
_BENT = np.array([NAMES.index(name) for name in NAMES if name not in FLAGS + CONTEXT])
_CONTEXT = np.array([NAMES.index(name) for name in CONTEXT])
_CROSSED = np.array([NAMES.index(name) for name in CROSSED])
_KNOWN = NAMES.index("known")
SIZE = len(NAMES) + len(_BENT) * (len(KNOTS) + 2) + len(_CONTEXT) * len(_CROSSED)

_PLACES = np.full(len(NAMES), -1)  # among those that are bent
_PLACES[_BENT] = np.arange(len(_BENT))

Matrix = NDArray[np.float32]


class Bends(NamedTuple):
    """Where features are bent, and their usual size: what φ needs to know of the data."""

    knots: Matrix  # (len(KNOTS), bent features)
    means: Matrix  # (features)
    deviations: Matrix

    @classmethod
    def of(cls, features: Matrix) -> "Bends":
        """From a sample, (candidates, len(NAMES))."""
        knots = np.quantile(features[:, _BENT], KNOTS, axis=0).astype(np.float32)
        deviations = features.std(axis=0)
        return cls(knots, features.mean(axis=0), np.where(deviations > 1e-6, deviations, 1.0).astype(np.float32))

    def apply(self, features: Matrix) -> Matrix:
        """φ, (candidates, SIZE)."""
        plain = (features - self.means) / self.deviations
        bent, sizes = features[:, _BENT], self.deviations[_BENT]
        parts = [plain, *(np.maximum(bent - knot, 0.0) / sizes for knot in self.knots), (bent > 0).astype(np.float32)]
        parts.append(features[:, _KNOWN, None] * bent / sizes)
        parts += [plain[:, _CROSSED] * plain[:, at, None] for at in _CONTEXT]
        return np.concatenate(parts, axis=1, dtype=np.float32)


class Blend:
    """What was learned: the bends, and a weight for each part of φ."""

    def __init__(self, bends: Bends, weights: Matrix) -> None:
        """`weights`: (SIZE)."""
        self.bends, self.weights = bends, weights
        # The same sums with the means and sizes worked into the weights, so that features are taken as they are.
        slopes, *bent, crossed = np.split(weights, np.cumsum([len(NAMES), *[len(_BENT)] * (len(KNOTS) + 2)]))
        *hinges, self._steps, known = bent
        self._slopes, sizes = slopes / bends.deviations, bends.deviations[_BENT]
        self._hinges, self._known = np.stack(hinges) / sizes, known / sizes
        self._start = -(self._slopes @ bends.means)
        self._crossed = crossed.reshape(len(_CONTEXT), len(_CROSSED)) / bends.deviations[_CROSSED]
        self._crossed_start = -(self._crossed @ bends.means[_CROSSED])[:, None]
        self._context = bends.means[_CONTEXT, None], bends.deviations[_CONTEXT, None]

    def scores(self, features: Matrix) -> Matrix:
        """Higher is better; (candidates)."""
        bends = self.bends
        columns = np.ascontiguousarray(features.T, dtype=np.float32)
        means, deviations = self._context
        context = (columns.take(_CONTEXT, axis=0) - means) / deviations
        crossed = self._crossed @ columns.take(_CROSSED, axis=0) + self._crossed_start
        total: Matrix = np.einsum("ij,ij->j", crossed, context) + self._start
        _add_bent(
            columns, self._slopes, _PLACES, bends.knots, self._hinges, self._steps, self._known, columns[_KNOWN], total
        )
        return total

    def save(self, path: Path) -> None:
        """As .npz, with the names of the features that it was learned on."""
        np.savez(path, names=np.array(NAMES), weights=self.weights, **self.bends._asdict())

    @classmethod
    def load(cls, path: Path) -> "Blend":
        """What `save` wrote. Raises ValueError when it was learned on other features, or is not whole."""
        with np.load(path, allow_pickle=False) as kept:
            columns = {name: kept[name] for name in kept.files}
        if columns.get("names", np.array([])).tolist() != list(NAMES):
            raise ValueError(f"{path.name} was learned on other features than this version has")
        bends, weights = Bends(columns["knots"], columns["means"], columns["deviations"]), columns["weights"]
        shapes = tuple(column.shape for column in (*bends, weights))
        if shapes != ((len(KNOTS), len(_BENT)), (len(NAMES),), (len(NAMES),), (SIZE,)):
            raise ValueError(f"{path.name} has columns of shapes {shapes}")
        if not all(np.isfinite(column).all() for column in (*bends, weights)):
            raise ValueError(f"{path.name} holds a value that is not finite")
        return cls(bends, weights)


@compiled
def _add_bent(
    columns: Matrix,
    slopes: Matrix,
    places: NDArray[np.int64],
    knots: Matrix,
    hinges: Matrix,
    steps: Matrix,
    known_slopes: Matrix,
    known: Matrix,
    total: Matrix,
) -> None:
    """Adds to `total`, of each column, its line, its hinges, its step and its line of known tracks."""
    zero = np.float32(0.0)
    for feature in range(len(columns)):
        column, slope, place = columns[feature], slopes[feature], places[feature]
        if place < 0:
            for at in range(len(total)):
                total[at] += slope * column[at]
            continue
        k0, k1, k2, k3 = knots[0, place], knots[1, place], knots[2, place], knots[3, place]
        h0, h1, h2, h3 = hinges[0, place], hinges[1, place], hinges[2, place], hinges[3, place]
        step, known_slope = steps[place], known_slopes[place]
        for at in range(len(total)):
            x = column[at]
            total[at] += (
                (slope + known_slope * known[at]) * x
                + h0 * max(x - k0, zero)
                + h1 * max(x - k1, zero)
                + h2 * max(x - k2, zero)
                + h3 * max(x - k3, zero)
                + (step if x > zero else zero)
            )
