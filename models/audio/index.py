"""The nearest vectors among 2,304-d ones: every one compared while they are few, above that compressed and in lists.

Up to `exact` vectors: Flat, 9,216 bytes each. Above: the principal axes of them at one byte each (PCA, SQ8) in
inverted lists (IVF), as many axes and lists looked into as it takes to find `min_recall` of the true five.
"""

from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from models.index import recall

TOP = 5
SAMPLE = 200  # queries that recall is measured with
AXES = (256, 384, 768)  # at a byte each: 1/36, 1/24, 1/12 of Flat
PROBES = (8, 16, 32, 64, 128)
TAUGHT = 40_000  # vectors that axes and lists are found with


def build(
    vectors: NDArray[np.float32], exact: int, min_recall: float, seed: int
) -> tuple[faiss.Index, dict[str, float]]:
    """An inner-product index of (n, d) and what was measured: recall@5 against Flat, ms a query, bytes a vector."""
    faiss.omp_set_num_threads(1)  # what is measured is what is served
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(np.ascontiguousarray(vectors, dtype=np.float32))
    sample = vectors[np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]]
    if len(vectors) <= exact:
        return flat, measured(flat, sample, flat.search(sample, TOP)[1], 4 * vectors.shape[1])
    _, true = flat.search(sample, TOP)
    for axes in AXES:
        index = compressed(vectors, axes, seed)
        for probes in PROBES:
            faiss.extract_index_ivf(index).nprobe = probes
            found = measured(index, sample, true, axes)
            if found["recall@5"] >= min_recall:
                return index, found
    return flat, measured(flat, sample, true, 4 * vectors.shape[1])


def compressed(vectors: NDArray[np.float32], axes: int, seed: int) -> faiss.Index:
    """PCA to so many axes, SQ8, inverted lists: about 4·√n of them."""
    axes = min(axes, vectors.shape[1], len(vectors))
    lists = max(1, min(4 * int(len(vectors) ** 0.5), len(vectors) // 40))
    index = faiss.index_factory(vectors.shape[1], f"PCA{axes},IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    taught = vectors[np.sort(np.random.default_rng(seed).permutation(len(vectors))[:TAUGHT])]
    index.train(np.ascontiguousarray(taught))
    index.add(vectors)
    return index


def measured(index: faiss.Index, sample: NDArray[np.float32], true: NDArray[np.int64], size: int) -> dict[str, float]:
    """Asked one at a time."""
    begun = perf_counter()
    found = [index.search(sample[row : row + 1], TOP)[1][0] for row in range(len(sample))]
    seconds = perf_counter() - begun
    each = 1000 * seconds / max(1, len(sample))
    return {
        "recall@5": recall(true, np.array(found).reshape(len(sample), -1)),
        "query_ms": each,
        "bytes": float(size),
        "tracks": float(index.ntotal),
    }
