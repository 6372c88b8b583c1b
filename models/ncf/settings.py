"""What neural collaborative filtering is fitted with."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class NcfSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """NeuMF (He et al. 2017); the paper's but for larger batches and, as they need, a larger rate."""

    factors: Positive = 16  # of the product, and of the last layer of the tower
    epochs: Positive = 16
    rate: Annotated[float, Meta(gt=0)] = 0.004
    decay: Annotated[float, Meta(ge=0)] = 0.0  # L2 on the vectors that a batch uses
    negatives: Positive = 4  # drawn for each item that a listener has
    batch: Positive = 8_192  # pairs, drawn ones among them
    seed: Annotated[int, Meta(ge=0)] = 42
