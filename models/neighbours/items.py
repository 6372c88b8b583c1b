"""ItemKNN: which items the same listeners have, by cosine, from a matrix of who has what; in bounded memory.

s(i, j) = xᵢ·xⱼ / (‖xᵢ‖‖xⱼ‖ + shrink) over the columns of X, and of each item only its `most` nearest are kept (Sarwar
et al. 2001; the shrinkage of Bell & Koren 2007: few listeners in common say little). A listener's score of an item is
the sum over its kept neighbours that they have. The products of all pairs do not fit into memory for many items, so
rows are made in blocks of at most about `pairs` products.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.neighbours.fit import joined, strongest
from models.neighbours.table import Table

PAIRS = 20_000_000


def nearest(
    matrix: csr_matrix,
    most: int,
    shrink: float,
    pairs: int = PAIRS,
    progress: Callable[[float], None] = lambda _: None,
) -> Table:
    """The `most` nearest items of each column of `matrix` (listeners, items), itself never among them."""
    turned = matrix.T.tocsr()
    lengths = np.sqrt(np.asarray(turned.multiply(turned).sum(axis=1)).ravel())
    parts: list[Table] = []
    for low, high in _blocks(matrix, turned, pairs):
        block = (turned[low:high] @ matrix).tocsr()
        rows = np.repeat(np.arange(low, high), np.diff(block.indptr))
        block.data /= lengths[rows] * lengths[block.indices] + shrink
        block.data[rows == block.indices] = 0.0
        block.eliminate_zeros()
        parts.append(strongest(block, most))
        progress(high / turned.shape[0])
    return joined(parts)


def scores(rows: csr_matrix, table: Table) -> NDArray[np.float64]:
    """Of all items, for listeners' rows (listeners, items): 0 where nothing of theirs is a neighbour."""
    items = rows.shape[1]
    near = csr_matrix((table.weights.astype(np.float64), table.rows, table.starts), shape=(items, items))
    return np.asarray((rows @ near.T).toarray(), np.float64)


def _blocks(matrix: csr_matrix, turned: csr_matrix, pairs: int) -> list[tuple[int, int]]:
    """Spans of items whose products are at most `pairs` together, or a single item's."""
    has = csr_matrix((np.ones(turned.nnz), turned.indices, turned.indptr), shape=turned.shape)
    products = has @ np.diff(matrix.indptr).astype(np.float64)  # of an item: what all its listeners have
    spans: list[tuple[int, int]] = []
    low, held = 0, 0.0
    for item, more in enumerate(map(float, products)):
        if item > low and held + more > pairs:
            spans.append((low, item))
            low, held = item, 0.0
        held += more
    return [*spans, (low, len(products))] if len(products) else spans
