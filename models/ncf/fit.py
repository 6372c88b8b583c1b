"""Fitting NeuMF: what a listener has against items drawn by chance, by binary cross entropy (He et al. 2017)."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from models.ncf.network import NeuMF
from models.ncf.settings import NcfSettings

AT_ONCE = 200_000  # pairs that are scored together: about 100 bytes a factor each
REDRAWS = 10


class Ncf:
    """A fitted network; listeners and items are the rows and columns that it was fitted on."""

    def __init__(self, network: NeuMF) -> None:
        self._network = network.eval()

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of every item, (len(users), items)."""
        step = max(1, AT_ONCE // max(1, self._network.product_items.num_embeddings))
        with torch.inference_mode():
            parts = [
                self._network.all_items(torch.from_numpy(users[at : at + step])).numpy()
                for at in range(0, len(users), step)
            ]
        return np.concatenate(parts)


def fit(
    matrix: csr_matrix,
    settings: NcfSettings,
    threads: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> Ncf:
    """Fit on who has what, (listeners, items), whatever the entries are.

    `threads` are torch's, from now on; where batches are so small, several mostly wait for each other. The same input,
    seed and number of threads give the same network, and torch's own chance is as it was before.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(threads)
        network = NeuMF(*matrix.shape, settings.factors)
        optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
        rng = np.random.default_rng(settings.seed)
        for epoch in range(settings.epochs):
            for listeners, items, labels in _batches(matrix, settings, rng):
                optimizer.zero_grad()
                loss = binary_cross_entropy_with_logits(network(listeners, items), labels)
                if settings.decay:
                    loss = loss + settings.decay * _size(network, listeners, items)
                loss.backward()
                optimizer.step()
            progress((epoch + 1) / settings.epochs)
    return Ncf(network)


def _size(network: NeuMF, listeners: Tensor, items: Tensor) -> Tensor:
    """Mean squared length of the vectors in use."""
    tables = zip(network.vectors(), (listeners, items, listeners, items), strict=True)
    return torch.stack([table(rows).square().sum(dim=1).mean() for table, rows in tables]).sum()


def _batches(
    matrix: csr_matrix, settings: NcfSettings, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Listeners, items and labels of one epoch: each pair once, with freshly drawn negatives, in an order by chance."""
    had = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices.astype(np.int64)
    missing_of = np.repeat(had[0], settings.negatives)
    users = np.concatenate((had[0], missing_of))
    items = np.concatenate((had[1], missing(matrix, missing_of, rng)))
    labels = (np.arange(len(users)) < matrix.nnz).astype(np.float32)
    order = rng.permutation(len(users))
    for start in range(0, len(order), settings.batch):
        rows = order[start : start + settings.batch]
        yield torch.from_numpy(users[rows]), torch.from_numpy(items[rows]), torch.from_numpy(labels[rows])


def missing(matrix: csr_matrix, users: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each of `users` an item by chance that they do not have; of one who has nearly all, now and then one had."""
    size = matrix.shape[1]
    had = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * size + matrix.indices
    drawn = rng.integers(size, size=len(users))
    for _ in range(REDRAWS):
        wrong = np.flatnonzero(np.isin(users * size + drawn, had))
        if not len(wrong):
            break
        drawn[wrong] = rng.integers(size, size=len(wrong))
    return drawn
