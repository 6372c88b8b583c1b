"""The headers of a dead letter: the bytes themselves are as they came, untouched.

Only a message too large to be sent on at all is put away cut short (`cut` says how large it was); its topic, partition
and offset tell where the whole is.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from schemas.errors import Poison
from schemas.fields import Millis, Offset, Partition

PREFIX = "segue.dead."


class DeadLetter(Struct, frozen=True):
    """Why and from where a message came to `listens.dead`; each field is one header named `segue.dead.<field>`."""

    cause: Annotated[str, Meta(max_length=64, description="Error class: bad-json, bad-schema, future…")]
    message: Annotated[str, Meta(max_length=1024, description="What was wrong, with its path; no payload.")]
    topic: str
    partition: Partition
    offset: Offset
    time: Annotated[Millis, Meta(description="When it was appended to the original topic.")]
    service: str
    cut: Annotated[int, Meta(ge=0, description="Size in bytes of a value put away cut short; 0: it is whole.")] = 0

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka headers, values in UTF-8; `cut` only where something was."""
        names = self.__struct_fields__ if self.cut else self.__struct_fields__[:-1]
        return [(PREFIX + name, str(getattr(self, name)).encode()) for name in names]

    @classmethod
    def of(cls, poison: Poison, topic: str, partition: int, offset: int, time: int, service: str) -> "DeadLetter":
        """The letter for one poisonous message."""
        return cls(poison.cause, str(poison)[:1024], topic, partition, offset, max(0, time), service)

    @classmethod
    def from_headers(cls, headers: Sequence[tuple[str, bytes | None]]) -> "DeadLetter":
        """Back from Kafka headers. Raises KeyError or ValueError when these are not a dead letter's."""
        ours = [(name.removeprefix(PREFIX), value) for name, value in headers if name.startswith(PREFIX)]
        raw = {name: value.decode() for name, value in ours if value is not None}
        return cls(
            raw["cause"],
            raw["message"],
            raw["topic"],
            int(raw["partition"]),
            int(raw["offset"]),
            int(raw["time"]),
            raw["service"],
            int(raw.get("cut", 0)),
        )
