"""What there is to play: the `tracks` topic (compacted, so the newest value of a track wins)."""

from typing import Annotated

from msgspec import Meta, Struct, field

from schemas.fields import Duration, Id


class Track(Struct, frozen=True, omit_defaults=True):
    """One track of the catalogue. Key: track_id."""

    track_id: Id
    title: Annotated[str, Meta(max_length=2048)]
    artist: Id
    release: Annotated[str, Meta(max_length=2048, description="The album or single it is on.")] | None = None
    year: Annotated[int, Meta(ge=0, le=9999)] | None = None
    duration_ms: Duration | None = None
    mbid: Annotated[str, Meta(max_length=64, description="MusicBrainz recording id.")] | None = None
    genre: Annotated[str, Meta(max_length=256)] | None = None
    labels: Annotated[dict[str, str], Meta(description="task -> class, for the classifiers.")] = field(
        default_factory=dict
    )
    lyrics: Annotated[str, Meta(max_length=200_000)] | None = None
    audio: Annotated[str, Meta(max_length=4096, description="URI of a recording.")] | None = None
