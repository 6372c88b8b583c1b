"""The nearest vectors among 2,304-d ones: every one compared while they are few, above that compressed and in lists.

Up to `exact` vectors: Flat, 9,216 bytes each. Above: their principal axes (PCA), at a byte or two each, in
inverted lists (IVF), as many axes and lists looked into as it takes to find `min_recall` of the true five.
"""

from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from models.index import recall

TOP = 5
SAMPLE = 200  # queries that recall is measured with
FORMS = ((256, "SQ8"), (512, "SQ8"), (512, "SQfp16"))  # axes, and how each is written: 1/36, 1/18, 1/9 of Flat
PROBES = (8, 16, 32, 64, 128)
TAUGHT = 40_000  # vectors that axes and lists are found with


def build(
    vectors: NDArray[np.float32], exact: int, min_recall: float, seed: int
) -> tuple[faiss.Index, dict[str, float]]:
    """An inner-product index of (n, d) and what was measured: recall@5 against Flat, ms a query, bytes a vector."""
    faiss.omp_set_num_threads(1)  # what is measured is what is served
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(np.ascontiguousarray(vectors, dtype=np.float32))
    asked = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    sample = vectors[asked]
    true = others(flat.search(sample, TOP + 1)[1], asked)
    if len(vectors) <= exact:
        return flat, measured(flat, sample, asked, true, 4 * vectors.shape[1])
    for axes, code in FORMS:
        index = compressed(vectors, axes, code, seed)
        for probes in PROBES:
            faiss.extract_index_ivf(index).nprobe = probes
            found = measured(index, sample, asked, true, size_of(axes, code))
            if found["recall@5"] >= min_recall:
                return index, found
    return flat, measured(flat, sample, asked, true, 4 * vectors.shape[1])


def size_of(axes: int, code: str) -> int:
    """Bytes of a vector."""
    return axes * (2 if code == "SQfp16" else 1)


def compressed(vectors: NDArray[np.float32], axes: int, code: str, seed: int) -> faiss.Index:
    """An index of all of them, taught by TAUGHT of them, by chance."""
    taught = np.ascontiguousarray(vectors[np.sort(np.random.default_rng(seed).permutation(len(vectors))[:TAUGHT])])
    index = trained(taught, len(vectors), axes, code)
    index.add(vectors)
    return index


def trained(taught: NDArray[np.float32], count: int, axes: int, code: str) -> faiss.Index:
    """An index for `count` vectors, with none in it yet.

    Principal axes, turned so that none is much wider than another; inverted lists: about 4·√n of them.
    """
    axes = min(axes, taught.shape[1], len(taught))
    lists = max(1, min(4 * int(count**0.5), len(taught) // 40))
    turned = faiss.PCAMatrix(taught.shape[1], axes, 0.0, True)
    turned.train(taught)
    # Not centred: an inner product of centred vectors is another one, and with it the order.
    faiss.copy_array_to_vector(np.zeros(axes, dtype=np.float32), turned.b)
    inner = faiss.index_factory(axes, f"IVF{lists},{code}", faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexPreTransform(turned, inner)
    index.train(taught)
    return index


def others(found: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """(queries, TOP) of (queries, TOP + 1): without the query itself, which is in the index and always finds itself."""
    own = found == asked[:, None]
    own[~own.any(axis=1), -1] = True
    rest: NDArray[np.int64] = found[~own].reshape(len(found), -1)
    return rest


def measured(
    index: faiss.Index, sample: NDArray[np.float32], asked: NDArray[np.int64], true: NDArray[np.int64], size: int
) -> dict[str, float]:
    """Asked one at a time. `asked`: the rows of the sample; `true`: the nearest others of each."""
    begun = perf_counter()
    found = [index.search(sample[row : row + 1], TOP + 1)[1][0] for row in range(len(sample))]
    seconds = perf_counter() - begun
    each = 1000 * seconds / max(1, len(sample))
    return {
        "recall@5": recall(true, others(np.array(found).reshape(len(sample), -1), asked)),
        "query_ms": each,
        "bytes": float(size),
        "tracks": float(index.ntotal),
    }
