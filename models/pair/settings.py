"""What the pair network is fitted with."""

from typing import Annotated

from msgspec import Meta, Struct

BANDS, FRAMES = 40, 120  # of a picture
PICTURE_S = 60.0  # of a recording from its beginning: two frames a second, or what there is
WIDTH = 64  # of what the tower makes of a picture

Positive = Annotated[int, Meta(ge=1)]


class PairSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Pairs are drawn half from those that are alike, half from those that are not, however few either are."""

    pairs: Positive = 20_000  # learned from in all
    batch: Positive = 128
    rate: Annotated[float, Meta(gt=0)] = 0.002
    decay: Annotated[float, Meta(ge=0)] = 0.02
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.3
    seed: int = 42
