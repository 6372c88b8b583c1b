"""What to play next: the `recommendations` topic (compacted: the newest list of a listener stands)."""

from typing import Annotated

from msgspec import Meta, Struct, field

from schemas.fields import Id, Millis, Offset, Partition

VARIANTS = ("a", "b")  # the ways to make lists that a scorer knows


class Item(Struct, frozen=True, gc=False):  # of strings and numbers only: nothing to look through for garbage
    """One recommended track, best first in its list."""

    track_id: Id
    score: Annotated[float, Meta(description="Comparable within one list only; higher is better.")]
    reason: Annotated[str, Meta(max_length=1024, description="Why it is there, in words for the listener.")]
    source: Annotated[str, Meta(max_length=64, description="Which source brought it: history, als, popular…")]


class Recommendations(Struct, frozen=True):
    """One listener's list, made from one profile and one release. Key: user_id."""

    list_id: Id
    user_id: Id
    partition: Partition  # of `listens`
    profile_version: Offset  # the list reflects every listen of the listener up to this offset
    release_id: Id
    made_at: Millis
    listened_at: Millis  # of the listen behind it
    produced_at: Millis  # when that listen was appended to `listens`: made_at - produced_at is the freshness
    items: list[Item]
    variant: Annotated[str, Meta(min_length=1, max_length=16, description="Of two ways to make lists, which.")] = "a"
    mixes: Annotated[dict[str, list[Item]], Meta(description="More lists made of the same, by the mix's name.")] = (
        field(default_factory=dict)
    )
