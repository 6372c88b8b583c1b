"""The field types that several messages share."""

from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=512, description="An opaque id, 1 to 512 characters.")]
Millis = Annotated[
    int, Meta(ge=0, le=2**53, description="Milliseconds since 1970-01-01T00:00:00Z.", examples=[1704067200000])
]
Duration = Annotated[int, Meta(ge=0, le=2**53, description="Milliseconds.")]
Offset = Annotated[int, Meta(ge=0, description="A Kafka offset.")]
Partition = Annotated[int, Meta(ge=0, description="A Kafka partition.")]
