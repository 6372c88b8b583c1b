"""The profiler's ports in memory: one store that compares like Redis, one outbox that remembers."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from msgspec.structs import replace

from models.profile import SEGMENT, past_bytes
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.events import Listen
from schemas.profile import ProfileChanged
from services.profiler.ports import Cursor, Record, Stored, Taken
from services.runtime.errors import BrokerAway, RedisAway


class MemoryProfiles:
    """The Profiles port. `failures` calls fail before, `lost_answers` commits fail after they took effect."""

    def __init__(self) -> None:
        self.data: dict[tuple[int, str], bytes] = {}  # heads
        self.pasts: dict[tuple[int, str], bytes] = {}
        self.positions: dict[int, Cursor] = {}
        self.max_past = 2 * SEGMENT  # plays
        self.failures = 0
        self.lost_answers = 0
        self.commits = 0

    def _maybe_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise RedisAway("away")

    async def cursors(self, partitions: Iterable[int]) -> dict[int, Cursor]:
        self._maybe_fail()
        return {partition: self.positions.get(partition, Cursor()) for partition in partitions}

    async def read(self, partition: int, users: list[str]) -> list[bytes | None]:
        self._maybe_fail()
        return [self.data.get((partition, user)) for user in users]

    async def commit(self, partition: int, expected: int, cursor: Cursor, profiles: Mapping[str, Stored]) -> int:
        self._maybe_fail()
        before = self.positions.get(partition, Cursor()).folded
        if before != expected:
            return before
        self.positions[partition] = cursor
        for user, each in profiles.items():
            self.data[partition, user] = each.head
            if each.begins and not each.sealed:
                self.pasts.pop((partition, user), None)
            if each.sealed:
                past = (b"" if each.begins else self.pasts.get((partition, user), b"")) + each.sealed
                self.pasts[partition, user] = past[-past_bytes(self.max_past) :]
        self.commits += 1
        if self.lost_answers:
            self.lost_answers -= 1
            raise RedisAway("the answer got lost")
        return before


class MemoryLog:
    """The Log port: the offsets that a test's log holds; None: it ends far away, and lacks what was not handed over."""

    def __init__(self) -> None:
        self.held: list[int] | None = None
        self.records: list[Record] = []  # what it gives to read
        self.readings = self.asked = 0
        self.away = False

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        end = 10**9 if self.held is None else max(self.held, default=-1) + 1
        return dict.fromkeys(partitions, end)

    async def begins(self, partition: int) -> int:  # noqa: ARG002  # it has one partition
        return 10**9 if self.held is None else min(self.held, default=0)

    async def first_from(self, partition: int, offset: int) -> int | None:  # noqa: ARG002  # it has one partition
        self.asked += 1
        if self.away:
            raise BrokerAway("away")
        return min((held for held in self.held or () if held >= offset), default=None)

    async def read(self, partition: int, until: int) -> AsyncGenerator[list[Record], None]:  # noqa: ARG002  # as above
        self.readings += 1
        wanted = [record for record in self.records if record.offset <= until]
        for start in range(0, len(wanted), 7):
            yield wanted[start : start + 7]


class MemoryOutbox:
    """The Outbox port."""

    def __init__(self) -> None:
        self.sent: list[ProfileChanged] = []
        self.letters: list[tuple[DeadLetter, Record]] = []
        self.failures = 0

    async def notices(self, partition: int, notices: Sequence[ProfileChanged]) -> None:
        if self.failures:
            self.failures -= 1
            raise BrokerAway("away")
        assert {notice.partition for notice in notices} <= {partition}
        self.sent.extend(notices)

    async def dead(self, letters: Iterable[tuple[DeadLetter, Record]]) -> None:
        self.letters.extend(letters)


T0 = 1_700_000_000_000


def listen(number: int, user: str = "ann", track: str = "t1", **more: object) -> Listen:
    """A listen with an id and a time of its own."""
    fields = {"artist": "a of " + track, "ms_played": 200_000, **more}
    return Listen(f"e{number}", user, track, T0 + number * 1000, **fields)  # type: ignore[arg-type]  # test data


def record(offset: int, event: Listen, **more: object) -> Taken:
    """The record that carries it."""
    return replace(Taken(offset, event.user_id.encode(), encode(event), T0 + 10_000_000), **more)
