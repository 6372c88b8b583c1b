"""What listeners do: the `listens` topic, the source of truth."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Duration, Id, Millis

Kind = Literal["play", "skip", "love", "ban", "unban"]


class Listen(Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing a listener did with one track. Key: user_id.

    `play` and `skip` are judged by `ms_played` (see docs/taste.md); `love`, `ban` and `unban` are about the track, or,
    with scope "artist", about the artist named in `artist`.
    """

    event_id: Annotated[Id, Meta(description="Unique per event and stable over retries: a repeat is not counted.")]
    user_id: Id
    track_id: Id
    listened_at: Annotated[Millis, Meta(description="When it happened, ms since epoch, UTC.")]
    kind: Kind = "play"
    artist: Annotated[Id, Meta(description="The track's artist; feeds the listener's artist weights.")] | None = None
    ms_played: Annotated[Duration, Meta(description="How long it was played; absent: to the end.")] | None = None
    duration_ms: Annotated[Duration, Meta(description="How long the track is.")] | None = None
    scope: Annotated[Literal["track", "artist"], Meta(description="What a love, ban or unban is about.")] = "track"
    organic: Annotated[bool | None, Meta(description="Chosen by the listener (true) or played from a list.")] = None
    list_id: Annotated[Id, Meta(description="The list of recommendations it was played from.")] | None = None
    source: Annotated[str, Meta(max_length=128, description="Who sent it, e.g. import:spotify.")] | None = None
