"""A log and a Redis in memory, of which the second may move whenever it is looked at."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from random import Random

from models.admission import admit
from models.ids import key_of
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.errors import Poison
from schemas.events import Listen
from services.audit.redis_stored import Snapshot
from services.runtime.kafka_log import LogMoved, Record, Span

NOW = 1_700_000_000_000
TASTE = TasteSettings(max_event_ids=128)  # what is lost further back is told by counts alone


def listen(number: int, user: str, random: Random) -> Listen:
    kind = random.choice(["play", "play", "play", "skip", "love", "ban"])
    track, artist = f"t{random.randrange(9)}", f"a{random.randrange(3)}"
    event = number - 3 if random.random() < 0.05 else number  # now and then a producer's repeat
    return Listen(f"e{user}-{event}", user, track, NOW + 60_000 * number, kind, artist)  # type: ignore[arg-type]


def record(offset: int, event: Listen) -> Record:
    return Record(offset, event.listened_at, event.user_id.encode(), encode(event), [])


class Log:
    """The audit's view of one partition of `listens`."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.first = 0
        self.truncate: Callable[[], None] = lambda: None

    def span(self, _topic: str, _partition: int) -> Span:
        return Span(self.first, self.records[-1].offset + 1 if self.records else 0)

    def read(self, _topic: str, _partition: int, first: int, stop: int) -> Iterator[list[Record]]:
        self.truncate()
        if first < self.first < stop:
            raise LogMoved("gone")
        for start in range(first, stop, 7):
            yield [r for r in self.records if start <= r.offset < min(start + 7, stop)]


class Stored:
    """Profiles and a cursor, folded by a profiler that works when `moves` lets it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._cursor = -1
        self.profiles: dict[str, bytes] = {}
        self.moves: Callable[[], None] = lambda: None
        self.skipped: set[int] = set()  # offsets that the profiler loses
        self.doubled: set[int] = set()

    def fold_to(self, offset: int) -> None:
        """What a profiler does in one commit."""
        for each in self._log.records:
            if self._cursor < each.offset <= offset:
                self._cursor = each.offset
                try:
                    event = admit(each.value, each.key, each.time)
                except Poison:
                    continue
                for _ in range((each.offset not in self.skipped) + (each.offset in self.doubled)):
                    data = self.profiles.get(event.user_id)
                    profile = Profile.decode(data) if data else Profile()
                    if each.offset in self.doubled:
                        profile.forget_event(key_of(event.event_id))
                    fold(profile, event, each.offset, TASTE)
                    self.profiles[event.user_id] = profile.encode()

    def restart(self, cursor: int) -> None:
        """Redis comes back as it was at an earlier cursor."""
        self._cursor = -1
        self.profiles.clear()
        self.fold_to(cursor)

    def cursor(self, partition: int) -> int:
        return self.snapshot(partition, ()).cursor

    def snapshot(self, _partition: int, users: Sequence[str]) -> Snapshot:
        self.moves()
        return Snapshot(self._cursor, [self.profiles.get(user) for user in users])

    def named(self, _partition: int, keys: set[int], most: int) -> list[str]:
        return [user for user in self.profiles if key_of(user) in keys][:most]

    def names(self) -> "array[int]":
        return array("q", [key_of(user) for user in self.profiles])
