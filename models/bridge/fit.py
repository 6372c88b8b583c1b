"""From content to factors: a ridge in closed form, one for each set of blocks that is known of tracks without factors.

W = (XᵀX + λI)⁻¹XᵀY, X even (mean 0, spread 1), Y the factors of tracks that have the same blocks. A ridge of its own
for each set, for one that leans on the artist would be lost where the artist is new.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bridge.content import Content, Rows, Table, described
from models.bridge.settings import BridgeSettings

PENALTIES = (1.0, 10.0, 100.0, 1_000.0)  # of the ridge, tried on what is held out


class Bridged(NamedTuple):
    """Tracks without factors of their own, and the factors that their content speaks for."""

    rows: Rows  # of the catalogue, rising
    factors: Table  # (rows, factors)
    measured: dict[str, float]


class Ridge(NamedTuple):
    """y = (x − mean) / spread · weights + usual."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    usual: NDArray[np.float64]

    def of(self, content: Table) -> Table:
        """(rows, factors)."""
        return np.asarray((content - self.mean) / self.spread @ self.weights + self.usual, dtype=np.float32)


def bridge(content: Content, factors: Table, cold: Rows, settings: BridgeSettings) -> Bridged:
    """Factors for the `cold` rows of which anything is known that enough tracks with factors have too.

    Measured: `tracks`, and `cosine` of what is said of held-out tracks with their factors, on the average.
    """
    made = np.zeros((len(cold), factors.shape[1]), dtype=np.float32)
    done = np.zeros(len(cold), dtype=bool)
    cosines = []
    for known, rows in described(content, cold).items():
        taught = np.flatnonzero(np.all([content.there[name][: len(factors)] for name in known], axis=0))
        taught = taught[: settings.most]  # the most popular
        if len(taught) < settings.least:
            continue
        ridge, cosine = fitted(content.of(taught, known), factors[taught], settings)
        at = np.searchsorted(cold, rows)
        made[at], done[at] = ridge.of(content.of(rows, known)), True
        cosines.append(cosine * len(rows))
    count = int(done.sum())
    measured = {"tracks": float(count), "cosine": float(sum(cosines) / count) if count else 0.0}
    return Bridged(cold[done], made[done], measured)


def fitted(content: Table, factors: Table, settings: BridgeSettings) -> tuple[Ridge, float]:
    """The ridge with the penalty that says most of what is held out, and its mean cosine there; fitted on all then."""
    order = np.random.default_rng(settings.seed).permutation(len(content))
    held = order[: max(1, int(settings.held_out * len(order)))]
    rest = order[len(held) :]
    trials = [(_cosine(_solved(content[rest], factors[rest], each).of(content[held]), factors[held]), each)
              for each in PENALTIES]  # fmt: skip
    cosine, penalty = max(trials)
    return _solved(content, factors, penalty), cosine


def _solved(content: Table, factors: Table, penalty: float) -> Ridge:
    x = content.astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    x = (x - mean) / spread
    usual = factors.mean(axis=0, dtype=np.float64)
    left = x.T @ x + penalty * np.eye(x.shape[1])
    return Ridge(mean, spread, np.linalg.solve(left, x.T @ (factors - usual)), usual)


def _cosine(said: Table, true: Table) -> float:
    lengths = np.linalg.norm(said, axis=1) * np.linalg.norm(true, axis=1)
    return float(((said * true).sum(axis=1) / (lengths + 1e-12)).mean())
