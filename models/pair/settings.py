"""What the pair network is fitted with."""

from typing import Annotated

from msgspec import Meta, Struct

BANDS, FRAMES = 40, 120  # of a picture
PICTURE_S = 60.0  # of a recording from its beginning: two frames a second, or what there is
WIDTH = 64  # of what the tower makes of a picture

Positive = Annotated[int, Meta(ge=1)]


class PairSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Each step takes some recordings, half of them partners of the others, and learns from all pairs among them."""

    steps: Positive = 300
    batch: Annotated[int, Meta(ge=4)] = 64  # recordings
    rate: Annotated[float, Meta(gt=0)] = 0.002
    decay: Annotated[float, Meta(ge=0)] = 0.02
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.3
    unseen: Annotated[float, Meta(ge=0, lt=1)] = 0.8  # of a vector's numbers, hidden while it is taught
    seed: Annotated[int, Meta(ge=0)] = 42
