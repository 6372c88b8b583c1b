"""What the bridge from content to factors is fitted with."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class BridgeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One table, kept in the release's manifest; what was measured: docs/audio.md."""

    on: bool = True  # false: a track that nobody has played has no factor
    least: Positive = 50  # tracks with factors that a ridge is fitted on; with fewer there is none
    most: Positive = 50_000  # … and no more than the most popular of them
    artist_shrink: Annotated[float, Meta(gt=0)] = 1.0  # tracks' worth of doubt in an artist's mean …
    genre_shrink: Annotated[float, Meta(gt=0)] = 5.0  # … and in a genre's
    axes: Positive = 64  # of the 2,304 numbers of a sound
    held_out: Annotated[float, Meta(gt=0, lt=1)] = 0.1  # of the tracks with factors, to choose the ridge's penalty by
    seed: Annotated[int, Meta(ge=0)] = 42
