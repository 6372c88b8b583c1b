"""What a service that shares a topic's partitions with its like needs, without saying which technology brings it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Record(NamedTuple):
    """One record, as it came."""

    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    time: int = -1  # ms, when it was appended


class Member(Protocol):
    """One member of a group. Raises services.runtime.errors.Transient while the broker is away."""

    def poll(self, seconds: float) -> list[Record]:
        """What has arrived, oldest first within a partition; waits at most so long for the first."""
        ...

    def taken_over(self) -> set[int]:
        """The partitions that this member was given since it was last asked, also those that it had before."""
        ...

    def owned(self) -> set[int]:
        """The partitions that are this member's now; costs no request."""
        ...

    def done(self, records: Sequence[Record]) -> None:
        """The effect of these stands: they need not come again."""
        ...

    def hold(self, seconds: float) -> None:
        """Wait without taking anything, staying who we are in the group."""
        ...

    def lags(self) -> dict[int, int]:
        """How many records are not taken yet, by partition; what is not known is left out."""
        ...


class Patience(Protocol):
    """Makes a call again and again while its server is away. Raises Stopped when the service is to end first."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """What the call returns in the end."""
        ...
