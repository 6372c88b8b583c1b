"""Fitting ALS with `implicit`."""

import os
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from models.als.settings import AlsSettings, confidence
from models.als.warm import Start

LARGEST_SHARE = 0.1


class FitFailed(ArithmeticError):
    """The factors are not finite; the text says what to change."""


def fit(
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    weights: NDArray[np.floating],
    shape: tuple[int, int],
    settings: AlsSettings,
    threads: int = 0,
    progress: Callable[[float], None] = lambda _: None,
    start: Start | None = None,
) -> tuple[NDArray[np.float32], AlsSettings]:
    """Item factors (shape[1], factors) from three parallel columns: who, what, weight in plays.

    Also the settings in force: a small history lowers `regularization` (see `_bearable`), and a fold-in must know. The
    same input, seed and start give the same factors, whatever `threads` (0: every core) is. `progress` is told the
    share done, (0, 1]. Raises FitFailed.
    """
    if not len(weights) or not min(shape):
        return np.zeros((shape[1], settings.factors), dtype=np.float32), settings
    matrix = csr_matrix((confidence(weights, settings.alpha), (users, items)), shape=shape, dtype=np.float32)
    settings = replace(settings, regularization=_bearable(matrix, settings.regularization))
    return factorize(matrix, settings, threads, progress, start), settings


def factorize(
    matrix: csr_matrix,
    settings: AlsSettings,
    threads: int = 0,
    progress: Callable[[float], None] = lambda _: None,
    start: Start | None = None,
) -> NDArray[np.float32]:
    """Item factors of a matrix (listeners, items) whose entries are confidences already; `alpha` is not looked at.

    `threads`, `progress` and `start` as for `fit`. Raises FitFailed.
    """
    threads = threads or os.cpu_count() or 1
    if settings.engine == "spark":
        from models.als.spark import factorize as on_spark  # with pyspark, an extra

        factors = on_spark(matrix, settings, threads)
    else:
        factors = _factors(matrix, settings, threads, progress, start)
    if not np.isfinite(factors).all():
        raise FitFailed(
            f"ALS gave factors that are not finite; raise [als] regularization (now {settings.regularization}) "
            f"or lower alpha (now {settings.alpha})"
        )
    return factors


def _factors(
    matrix: csr_matrix, settings: AlsSettings, threads: int, progress: Callable[[float], None], start: Start | None
) -> NDArray[np.float32]:
    from implicit.cpu.als import AlternatingLeastSquares  # slow to import, and only training needs it
    from implicit.recommender_base import ModelFitError

    iterations = settings.iterations if start is None else start.iterations
    with threadpool_limits(1, "blas"):  # implicit has its own threads; BLAS threads inside them only fight
        model = AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.regularization,
            alpha=1.0,  # it is in the confidence already
            iterations=iterations,
            num_threads=threads,
            random_state=settings.seed,
        )
        if start is not None:
            model.item_factors = start.filled(settings.seed)
        with suppress(ModelFitError):  # it says "NaN encountered in factors"; the caller looks, and says what to do
            model.fit(
                matrix,
                show_progress=False,
                callback=lambda done, _seconds, _loss: progress((done + 1) / iterations),
            )
    return np.ascontiguousarray(model.item_factors, dtype=np.float32)


def _bearable(matrix: csr_matrix, regularization: float) -> float:
    """The regularization, at most a tenth of the largest singular value of the likes.

    λ(‖x‖² + ‖y‖²) wipes out every direction whose singular value is below about λ: with a value tuned on millions of
    listens, the factors of a history of a hundred would all be zero. Power iteration from a fixed start; a few per cent
    are near enough.
    """
    likes = matrix.maximum(0)
    start = np.ones(matrix.shape[1], dtype=np.float32)
    size = 0.0
    for _ in range(10):
        norm = float(np.linalg.norm(start))
        if not norm:
            return regularization
        start = likes.T @ (likes @ (start / norm))
        size = float(np.linalg.norm(start)) ** 0.5
    return min(regularization, LARGEST_SHARE * size) if size else regularization
