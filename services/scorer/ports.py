"""What the scorer needs from outside, without saying which technology brings it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced

T = TypeVar("T")


class Record(NamedTuple):
    """One record of `profiles`, as it came."""

    partition: int
    offset: int
    value: bytes | None


class Notices(Protocol):
    """The notices that profiles changed. Raises services.runtime.errors.Transient while the broker is away."""

    def poll(self, seconds: float) -> list[Record]:
        """What has arrived, oldest first within a partition; waits at most so long for the first."""
        ...

    def taken_over(self) -> set[int]:
        """The partitions that this member was given since it was last asked, also those that it had before."""
        ...

    def done(self, records: Sequence[Record]) -> None:
        """The effect of these stands: they need not come again."""
        ...

    def hold(self, seconds: float) -> None:
        """Wait without taking anything, staying who we are in the group."""
        ...

    def lags(self) -> dict[int, int]:
        """How many notices are not taken yet, by partition; what is not known is left out."""
        ...


class Profiles(Protocol):
    """Where profiles are kept. Raises Transient while it is away."""

    def read(self, wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        """The profiles of these (partition of `listens`, user_id), in one round trip."""
        ...


class Lists(Protocol):
    """Where lists go. Raises Transient while the broker does not acknowledge."""

    def send(self, lists: Sequence[Recommendations]) -> None:
        """Returns once every list is acknowledged."""
        ...


class Announcements(Protocol):
    """Which release is in force. Raises Transient while the broker is away."""

    def newest(self, seconds: float) -> ReleaseAnnounced | None:
        """The newest announcement there is, None before the first; waits at most so long for a newer one."""
        ...

    def ping(self) -> None:
        """Returns when the broker answers."""
        ...


class Patience(Protocol):
    """Makes a call again and again while its server is away. Raises Stopped when the service is to end first."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """What the call returns in the end."""
        ...
