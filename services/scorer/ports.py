"""What the scorer needs from outside, without saying which technology brings it."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from schemas.fields import Duration, Id
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced


class Described(Struct, frozen=True):
    """What a list needs to know of a track: a part of schemas.track.Track, as strict, without its lyrics."""

    track_id: Id
    title: Annotated[str, Meta(max_length=2048)]
    artist: Id
    release: Annotated[str, Meta(max_length=2048)] | None = None
    year: Annotated[int, Meta(ge=0, le=9999)] | None = None
    duration_ms: Duration | None = None
    genre: Annotated[str, Meta(max_length=256)] | None = None


class Profiles(Protocol):
    """Where profiles are kept. Raises Transient while it is away."""

    def read(self, wanted: Sequence[tuple[int, str]]) -> list[bytes | None]:
        """The profiles of these (partition of `listens`, user_id), in one round trip."""
        ...


class Lists(Protocol):
    """Where lists go."""

    def send(self, lists: Sequence[Recommendations]) -> None:
        """Send these, all before being settled; they stand once `settle` has returned."""
        ...

    def look(self) -> None:
        """Hear of acknowledgements that have come."""
        ...

    def settle(self) -> float:
        """Returns once every list sent is acknowledged, how many seconds ago that was heard of the last.

        Raises Transient while the broker does not acknowledge: ask again.
        """
        ...


class Announcements(Protocol):
    """Which release is in force. Raises Transient while the broker is away."""

    def newest(self, seconds: float) -> ReleaseAnnounced | None:
        """The newest announcement there is, None before the first; waits at most so long for a newer one."""
        ...

    def ping(self) -> None:
        """Returns when the broker answers."""
        ...


class Tracks(Protocol):
    """What is announced on `tracks`. Raises Transient while the broker is away."""

    def begin(self, since_ms: int) -> None:
        """Give what was announced at this time (ms since epoch) or later."""
        ...

    def poll(self) -> list[tuple[str, Described | None]]:
        """Some (track_id, what it is; None: it was withdrawn) not given yet, without waiting; nothing: all for now."""
        ...
