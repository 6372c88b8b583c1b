"""A logistic regression in the features, their squares and their products, by Newton's method."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]

L2 = 10.0
STEPS = 8
FAR = 9.0  # a product of standardised features counts no more


class Logistic(NamedTuple):
    """Fitted; `weights` are of 1, the features, and their products."""

    means: Rows
    scales: Rows
    weights: Rows

    def chances(self, rows: Rows) -> Rows:
        """That it is so, of each row of features."""
        return _sigmoid(_spread((rows - self.means) / self.scales) @ self.weights)


def fit(rows: Rows, labels: NDArray[np.bool_]) -> Logistic:
    """Fit on rows of features, (rows, features), all finite."""
    means, scales = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    spread = _spread((rows - means) / scales)
    weights, ridge = np.zeros(spread.shape[1]), L2 * np.eye(spread.shape[1])
    for _ in range(STEPS):
        chances = _sigmoid(spread @ weights)
        slope = spread.T @ (chances - labels) + L2 * weights
        bend = (spread * (chances * (1.0 - chances))[:, None]).T @ spread + ridge
        weights = weights - np.linalg.solve(bend, slope)
    return Logistic(means, scales, weights)


def _spread(rows: Rows) -> Rows:
    first, second = np.triu_indices(rows.shape[1])
    return np.hstack((np.ones((len(rows), 1)), rows, np.clip(rows[:, first] * rows[:, second], -FAR, FAR)))


def _sigmoid(values: Rows) -> Rows:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))))
