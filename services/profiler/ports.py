"""What the profiler needs from outside, without saying which technology brings it."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from schemas.dead_letter import DeadLetter
from schemas.profile import ProfileChanged


class Record(Protocol):
    """One record of `listens`, by the names that aiokafka gives: what it brings needs not be made into anything."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def key(self) -> bytes | None:
        """The listener, as bytes."""

    @property
    def value(self) -> bytes | None:
        """The listen, as bytes."""

    @property
    def timestamp(self) -> int:
        """When it was appended, ms."""


class Taken(Struct, frozen=True, gc=False):
    """A record that somebody else brings."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


class Cursor(NamedTuple):
    """How far a partition has come; −1: nowhere."""

    folded: int = -1  # the last offset folded into the profiles
    noticed: int = -1  # the last offset whose notices the broker has acknowledged


class Stored(NamedTuple):
    """What is to be written of a profile."""

    head: bytes  # in place of what is there
    sealed: bytes = b""  # segments that its past grows by …
    begins: bool = False  # … or begins with, in place of what is there


class Log(Protocol):
    """What the broker itself says of `listens`. Raises services.runtime.errors.Transient while it is away."""

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """The offset that the next listen of each partition will get."""

    async def begins(self, partition: int) -> int:
        """The offset that the log of a partition begins at: what is before it was removed."""

    async def first_from(self, partition: int, offset: int) -> int | None:
        """The first offset at or behind this one that holds a record; None: there is none yet."""

    def read(self, partition: int, until: int) -> AsyncGenerator[list[Record], None]:
        """Every record of a partition up to an offset, oldest first, some at a time."""


class Profiles(Protocol):
    """The store of profiles and cursors. Raises services.runtime.errors.Transient while it is away."""

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        """The cursor of each partition."""

    async def read(self, partition: int, users: list[str]) -> list[bytes | None]:
        """The profiles' heads of some listeners of one partition: folding needs no past."""

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, Stored]) -> int:
        """Write profiles and cursor in one atomic step, if the partition is still folded up to `expected`.

        Returns the offset that it was folded up to before the call: `expected` when the step was taken.
        """


class Outbox(Protocol):
    """Where notices and dead letters go; each call returns once the broker has acknowledged all of them."""

    async def notices(self, partition: int, notices: Sequence[ProfileChanged]) -> None:
        """Announce changed profiles of a partition."""

    async def dead(self, letters: Iterable[tuple[DeadLetter, Record]]) -> None:
        """Put away messages that cannot be taken in, bytes untouched."""
