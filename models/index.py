"""The nearest items to a vector by inner product: a FAISS index whose ids are catalogue rows.

Up to `exact` vectors every one is compared (Flat). Above, the vectors lie in cells (IVF) and only the nearest cells are
searched: as many as it takes to find `min_recall` of what Flat finds, measured when the index is built.
"""

from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

TOP = 100
SAMPLE = 256  # queries that recall is measured on
BATCH = 256  # vectors compared at once when measuring, which bounds the memory
PROBES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def build(
    factors: NDArray[np.float32], queries: NDArray[np.float32], exact: int, min_recall: float, seed: int
) -> tuple[faiss.Index, dict[str, float]]:
    """An index of (items, factors) and what was measured: recall@100 against Flat, ms a query on one thread.

    `queries` are real listeners' vectors (some; none will do): recall is measured on what will be asked.
    """
    faiss.omp_set_num_threads(1)  # what is measured is what is served
    flat = _flat(factors)
    sample = _sample(factors, queries, seed)
    if flat.ntotal <= exact:
        return flat, {"recall@100": 1.0, "query_ms": _query_ms(flat, sample), "probes": 0.0}
    _, true = flat.search(sample, TOP)
    index = _cells(factors, seed)
    found = 0.0
    for probes in PROBES:
        index.nprobe = min(probes, index.nlist)
        found = recall(true, index.search(sample, TOP)[1])
        if found >= min_recall:
            return index, {"recall@100": found, "query_ms": _query_ms(index, sample), "probes": float(index.nprobe)}
        if index.nprobe == index.nlist:
            break
    return flat, {"recall@100": 1.0, "query_ms": _query_ms(flat, sample), "probes": 0.0}


def recall(true: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """Mean share of each row of `true` that stands in the same row of `found`; −1 is nothing. 1 if nothing is true."""
    shares = [
        np.isin(wanted[wanted >= 0], got).mean() for wanted, got in zip(true, found, strict=True) if (wanted >= 0).any()
    ]
    return float(np.mean(shares)) if shares else 1.0


def search(index: faiss.Index, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores and rows, best first, (len(vectors), min(k, items)); −1 stands where the index found fewer.

    FAISS refuses k = 0 and pads with −1 beyond its items, so k is cut to what there is.
    """
    k = min(k, index.ntotal)
    if k <= 0 or not len(vectors):
        return np.empty((len(vectors), max(k, 0)), np.float32), np.empty((len(vectors), max(k, 0)), np.int64)
    scores, rows = index.search(np.ascontiguousarray(vectors, dtype=np.float32), k)
    return scores, rows


def serialise(index: faiss.Index) -> NDArray[np.uint8]:
    """The index as bytes, the same for the same index."""
    data: NDArray[np.uint8] = faiss.serialize_index(index)
    return data


def _flat(factors: NDArray[np.float32]) -> faiss.Index:
    index = faiss.IndexFlatIP(factors.shape[1])
    if len(factors):
        index.add(np.ascontiguousarray(factors, dtype=np.float32))
    return index


def _cells(factors: NDArray[np.float32], seed: int) -> faiss.IndexIVFFlat:
    items, width = factors.shape
    cells = max(1, min(int(4 * np.sqrt(items)), items // 39))  # 39: fewer points a cell and FAISS warns
    quantizer = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFFlat(quantizer, width, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = seed
    index.train(factors)
    index.add(factors)
    return index


def _sample(factors: NDArray[np.float32], queries: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    vectors = queries[np.any(queries != 0, axis=1)] if len(queries) else queries
    if not len(vectors):
        vectors = factors
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    return np.ascontiguousarray(vectors[chosen], dtype=np.float32)


def _query_ms(index: faiss.Index, sample: NDArray[np.float32]) -> float:
    """Milliseconds a query when asked one at a time."""
    if not len(sample) or not index.ntotal:
        return 0.0
    begun = perf_counter()
    for row in range(len(sample)):
        search(index, sample[row : row + 1], TOP)
    return (perf_counter() - begun) / len(sample) * 1000
