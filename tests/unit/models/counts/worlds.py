"""Counts whose right answer is known."""

import numpy as np
from scipy.sparse import csr_matrix

ITEMS = 60


def two_camps(listeners: int = 80, each: int = 15, seed: int = 1) -> csr_matrix:
    """Even listeners have only items of the first half, odd ones only of the second; counts with a heavy tail."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((listeners, ITEMS))
    for user in range(listeners):
        own = rng.choice(ITEMS // 2, each, replace=False) + (ITEMS // 2) * (user % 2)
        dense[user, own] = np.ceil(rng.pareto(1.0, each) * 10) + 1
    return csr_matrix(dense)
