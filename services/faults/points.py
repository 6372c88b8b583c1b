"""A profiler that dies where it is told to (`python -m services.faults.points`); the profiler knows nothing of it.

Its two ports are wrapped. A signal arms one point, and the next batch that comes there ends in SIGKILL:

- SIGUSR1: profiles and cursor are committed in Redis, the notices are not sent (`committed`),
- SIGUSR2: the notices are acknowledged, the offsets are not (`noticed`),
- SIGHUP: the batch is folded in memory, nothing is committed (`folded`).

With FAULTS_UNGUARDED=1 it has no guard either: positions are what a consumer knows that commits its offsets now
and then, and a commit asks nobody. It is there to show that the audit can fail.
"""

import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType

from schemas.dead_letter import DeadLetter
from schemas.profile import ProfileChanged
from services.profiler.__main__ import main
from services.profiler.ports import Cursor, Outbox, Profiles, Record, Stored

POINTS = {"committed": signal.SIGUSR1, "noticed": signal.SIGUSR2, "folded": signal.SIGHUP}
OVERLAP = 200  # offsets that an unguarded profiler reads again when it starts

_armed: set[str] = set()


def _arm(number: int, _: FrameType | None) -> None:
    _armed.update(point for point, armed_by in POINTS.items() if armed_by == number)


def _pass(point: str) -> None:
    if point in _armed:
        os.kill(os.getpid(), signal.SIGKILL)


class FragileProfiles:
    """The `Profiles` port, with points to die at."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        """See Profiles."""
        return await self._profiles.cursors(partitions)

    async def read(self, partition: int, users: list[str]) -> list[bytes | None]:
        """See Profiles."""
        return await self._profiles.read(partition, users)

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, Stored]) -> int:
        """See Profiles."""
        if profiles:
            _pass("folded")
        before = await self._profiles.commit(partition, expected, cursor, profiles)
        if profiles:
            _pass("committed")
        return before


class FragileOutbox:
    """The `Outbox` port, with a point to die at."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def notices(self, partition: int, notices: Sequence[ProfileChanged]) -> None:
        """See Outbox."""
        await self._outbox.notices(partition, notices)
        _pass("noticed")

    async def dead(self, letters: Iterable[tuple[DeadLetter, Record]]) -> None:
        """See Outbox."""
        await self._outbox.dead(letters)


class UnguardedProfiles(FragileProfiles):
    """What everybody else does: at least once, and the store takes whatever it is given."""

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        """Positions as of the last commit to the consumer group, which is some listens ago."""
        found = await super().cursors(partitions)
        return {p: Cursor(*(max(-1, offset - OVERLAP) for offset in cursor)) for p, cursor in found.items()}

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, Stored]) -> int:
        """Write, whoever else has written."""
        stored = (await self._profiles.cursors([partition]))[partition]
        await super().commit(partition, stored.folded, cursor, profiles)
        return expected


def fragile(profiles: Profiles, outbox: Outbox) -> tuple[Profiles, Outbox]:
    """Wrap the ports of a profiler."""
    unguarded = os.environ.get("FAULTS_UNGUARDED") == "1"
    return (UnguardedProfiles if unguarded else FragileProfiles)(profiles), FragileOutbox(outbox)


if __name__ == "__main__":
    for armed_by in POINTS.values():
        signal.signal(armed_by, _arm)
    main(fragile)
