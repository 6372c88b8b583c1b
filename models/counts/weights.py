"""How much a count says. Counts are heavy-tailed and items unequally known; how to tame both is a setting to tune."""

from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

Form = Literal["binary", "log", "linear"]


def weighed(counts: csr_matrix, form: Form, damping: float) -> csr_matrix:
    """The counts as weights whose mean is 1.

    `form`: all alike, log₂(1 + count), or the count itself. `damping` ≥ 0 divides by the item's listeners to that
    power: what nearly everybody has says less about somebody.
    """
    weights = counts.astype(np.float64)
    if form == "binary":
        weights.data = np.ones(weights.nnz)
    elif form == "log":
        weights.data = np.log2(1.0 + weights.data)
    listeners = weights.getnnz(axis=0)
    weights.data = weights.data * listeners[weights.indices] ** -damping
    if weights.nnz:
        weights.data /= weights.data.mean()
    return weights
