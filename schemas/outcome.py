"""What came of a list: the `outcomes` topic. One message for each play or skip of a listener who had a list."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Id, Millis


class Outcome(Struct, frozen=True):
    """One listen, held against the list that stood for its listener just before it. Key: user_id.

    A listener who had no list yet makes no outcome. The same `event_id` may come again, after a crash or because its
    producer sent it twice: the first one of a listener counts.
    """

    event_id: Annotated[Id, Meta(description="That of the listen.")]
    user_id: Id
    track_id: Id
    kind: Annotated[Literal["play", "skip"], Meta(description="What it counts as by docs/taste.md, not as sent.")]
    chosen: Annotated[
        Literal["listener", "list", "other"] | None,
        Meta(
            description="Who chose the track: the listener, a list of ours (the listen has a list_id), or something "
            "other, like a radio; null: the listen does not say."
        ),
    ]
    listened_at: Annotated[Millis, Meta(description="When it happened, by the listener's clock.")]
    at: Annotated[Millis, Meta(description="When it was appended to `listens`, by the broker's.")]
    list_id: Annotated[Id, Meta(description="Of the list that stood at `at`.")]
    release_id: Id
    variant: Annotated[str, Meta(min_length=1, max_length=16, description="Of that list.")]
    length: Annotated[int, Meta(ge=0, description="Tracks in it.")]
    rank: Annotated[int, Meta(ge=1, description="The track's place in it, 1 the best; null: it was not in it.")] | None
    source: Annotated[str, Meta(max_length=64, description="Which source brought it; null where rank is.")] | None
