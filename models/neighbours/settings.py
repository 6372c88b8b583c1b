"""How tracks are found that are played near each other: shared by fit and serve."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class NeighbourSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Session neighbours and transitions; defaults: docs/training.md."""

    session_minutes: Positive = 30  # a pause this long ends a session
    window: Positive = 10  # plays apart, at most, of two neighbours
    steps: Positive = 5  # plays ahead, at most, of what follows
    most: Positive = 100  # neighbours, and followers, kept of each track
    shrink: Annotated[float, Meta(ge=0)] = 5.0  # plays that a track is taken to have besides: the rare weigh less
    half_life_days: Annotated[float, Meta(gt=0)] = 120.0  # of what followed what
    pairs: Positive = 20_000_000  # in memory at once: about 24 bytes each
