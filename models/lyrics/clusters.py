"""Groups of songs that speak of the same: k-means, and a tree beside it, each with its silhouette."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.lyrics.encoder import Matrix, unit

SAMPLE = 2_000  # songs that silhouettes are measured on, and that the tree is grown of: both grow with the square


class Clusters(NamedTuple):
    """`of[song]` is its cluster, −1 for a song without a vector; `centres` (clusters, d) have length 1."""

    of: NDArray[np.int64]
    centres: Matrix
    silhouette: float  # of k-means, cosine (Rousseeuw 1987): −1 to 1
    tree_silhouette: float  # of a Ward tree of as many groups, on the same songs


def cluster(vectors: Matrix, most: int, seed: int, threads: int) -> Clusters:
    """At most `most` groups, and so few that one has ten songs on the average."""
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    there = np.flatnonzero(np.any(vectors != 0, axis=1))
    of = np.full(len(vectors), -1, dtype=np.int64)
    count = min(most, len(there) // 10)
    if count < 2:
        of[there] = 0
        return Clusters(of, unit(vectors[there].mean(axis=0, keepdims=True)) if len(there) else vectors[:0], 0.0, 0.0)
    with threadpool_limits(threads or None):
        model = KMeans(count, n_init=4, random_state=seed).fit(vectors[there])
        of[there] = model.labels_
        some = np.random.default_rng(seed).permutation(there)[:SAMPLE]
        tree = AgglomerativeClustering(count).fit_predict(vectors[some])
        figures = [
            float(silhouette_score(vectors[some], labels, metric="cosine")) if 1 < len(set(labels)) < len(some) else 0.0
            for labels in (of[some], tree)
        ]
    return Clusters(of, unit(model.cluster_centers_), *figures)
