"""What ALS is fitted with, and how a taste weight becomes a confidence: shared by fit and serve."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

Positive = Annotated[int, Meta(ge=1)]


class AlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Matrix factorisation of implicit feedback (Hu, Koren, Volinsky 2008); defaults: docs/training.md."""

    factors: Positive = 64
    iterations: Positive = 10
    warm_iterations: Annotated[int, Meta(ge=0)] = 4  # when begun with an earlier release's factors; 0: never so begun
    regularization: Annotated[float, Meta(gt=0)] = 30.0
    alpha: Annotated[float, Meta(ge=0)] = 16.0  # confidence gained by the first play
    seed: Annotated[int, Meta(ge=0)] = 42
    min_listeners: Positive = 2  # a track heard by fewer says nothing about who else would like it
    max_items: Positive = 200_000  # the most popular are kept
    max_tracks: Positive = 500  # strongest tracks of a listener in a fold-in
    exact_items: Positive = 50_000  # up to so many vectors are searched exhaustively
    min_recall: Annotated[float, Meta(ge=0, le=1)] = 0.97  # recall@100 that an approximate index must reach
    engine: Literal["implicit", "spark"] = "implicit"  # what factorises; spark: needs segue[spark], docs/training.md
    spark: str = ""  # Spark's master URL; empty: this machine


def confidence(weights: NDArray[np.floating], alpha: float) -> NDArray[np.float32]:
    """Signed confidence c of each weight (in plays): 1 + alpha·log2(1 + |w|), negative where w is.

    The logarithm keeps the hundredth play from drowning the rest. A negative c means "not liked, and surer of it than
    of a track never met" (preference 0, confidence |c|), which is how implicit reads its sign.
    """
    gained = 1.0 + alpha * np.log2(1.0 + np.abs(weights))
    signed: NDArray[np.float32] = np.copysign(gained, weights).astype(np.float32)
    return signed
