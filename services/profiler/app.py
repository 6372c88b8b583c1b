"""The profiler's core: a batch of listens in, profiles, cursor and notices out. Knows no framework.

The order is the guarantee:

1. dead letters are acknowledged by the broker,
2. listens beyond the cursor are folded, and profiles and cursor are committed in one atomic step that compares the
   cursor first: the fence against zombies, rewound and emptied stores,
3. notices are acknowledged by the broker,
4. only then the caller acknowledges the offsets.

A crash between any two repeats what follows and never loses it: the cursor says what is folded, `noticed` what is
announced, and a worker starts again behind the smaller of the two.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from models.admission import admit
from models.decode import decode_all
from models.profile import BadProfile, Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from schemas.profile import ProfileChanged
from schemas.topics import LISTENS
from services.profiler.errors import RewoundError
from services.profiler.following import Following, Waiting, refuse_another_log
from services.profiler.metrics import Metrics
from services.profiler.patience import Patiently
from services.profiler.ports import Cursor, Log, Outbox, Profiles, Record, Stored
from services.profiler.remaking import Remaking
from services.runtime.errors import Transient
from services.runtime.garbage import look_when_idle

log = logging.getLogger(__name__)


@dataclass
class Assigned:
    """One partition as this worker sees it."""

    cursor: Cursor
    stored: Cursor  # as the store has it
    next: int  # the offset that should come next; a later one means that listens are gone
    profiles: OrderedDict[str, Profile] = field(default_factory=OrderedDict)  # least recently used first


class Profiler:
    """Folds batches of one or more partitions. One call of `apply` at a time for each partition.

    While the store or the broker is away every call waits; once `stop` is set it raises Stopped instead.
    """

    def __init__(
        self,
        profiles: Profiles,
        outbox: Outbox,
        listens: Log,
        taste: TasteSettings,
        metrics: Metrics,
        cache_profiles: int,
        stop: asyncio.Event,
    ) -> None:
        self._store, self._outbox, self._log = profiles, outbox, listens
        self._taste, self._metrics = taste, metrics
        self._cache_profiles = cache_profiles
        self._patiently = Patiently(metrics, stop)
        self._following = Following(listens, self._patiently, metrics)
        self._waiting = Waiting(listens, metrics)
        self._remaking = Remaking(listens, taste, self._patiently, metrics, stop)
        self._assigned: dict[int, Assigned] = {}

    def forget(self) -> None:
        """Partitions are being given out anew: nothing is known of any until the next `assign`."""
        self._assigned = {}

    async def assign(self, partitions: Iterable[int]) -> dict[int, int]:
        """Take over partitions, forgetting whatever was known of any; returns where to start reading each.

        Raises Fatal when the profiles are ahead of the log.
        """
        wanted = list(partitions)
        cursors = await self._patiently(self._store.cursors, wanted)
        refuse_another_log(cursors, await self._patiently(self._log.ends, wanted))
        self._assigned = {partition: _taken_over(cursors[partition]) for partition in wanted}
        self._metrics.assigned(wanted)
        return {partition: min(cursor) + 1 for partition, cursor in cursors.items()}

    async def apply(self, partition: int, records: Sequence[Record]) -> None:
        """Take a batch of one partition, in offset order, all the way; returns when it may be acknowledged.

        Waits while the store or the broker is away. Raises RewoundError when the store fell behind, SkippedError when
        listens were left out: then no batch that was read before the next `assign` may be applied after it, or the
        listens between would be lost.
        """
        # Whatever is assigned meanwhile, this batch follows on the cursor that stood when it was read.
        here = self._assigned[partition]
        await self._following.look(partition, max(here.next, here.cursor.folded + 1), records)
        here.next = records[-1].offset + 1
        lap = self._metrics.stopwatch()
        listens = await self._admit(partition, here, records)
        lap("admit")
        while True:
            known = bisect_right(listens, here.cursor.folded, key=_offset)
            listeners = _by_listener(listens[known:])
            changed = await self._fold(partition, here, listeners)
            lap("fold")
            cursor = Cursor(max(here.cursor.folded, records[-1].offset), here.cursor.noticed)
            done = await self._commit(
                partition, here, cursor, {user: profile for user, (profile, _) in changed.items()}
            )
            lap("commit")
            if done:
                break
        notices = [notice for _, notice in changed.values()]
        unchanged = ({listen.user_id for _, listen in listens[:known]} | listeners.keys()) - changed.keys()
        notices += await self._repeat(partition, here, unchanged, records[-1].timestamp)
        await self._patiently(self._outbox.notices, partition, notices)
        lap("notices")
        here.cursor = Cursor(cursor.folded, max(cursor.noticed, records[-1].offset))
        self._metrics.noticed(notices)

    async def rest(self) -> None:
        """Store how far notices went, which a commit does only for the batch before: a successor then repeats nothing.

        For when there is nothing else to do. Not done while the store is away: what is not stored is repeated. Raises
        RewoundError when the store fell behind meanwhile, which nobody would notice before the next listen.
        """
        look_when_idle()
        assigned = list(self._assigned.items())
        known = {partition: here.cursor.folded for partition, here in assigned}
        try:
            found = await self._store.cursors(known)
        except Transient as error:
            log.info("the cursors could not be looked at: %s", error)
            return
        for partition, cursor in found.items():
            if cursor.folded < known[partition]:
                raise RewoundError.of(partition, cursor.folded, known[partition])
        for partition, here in assigned:
            if here.stored != here.cursor:
                cursor = here.cursor
                try:
                    before = await self._store.commit(partition, cursor.folded, cursor, {})
                except Transient as error:
                    log.info("notices of partition %d may be repeated: %s", partition, error)
                    return
                if before == cursor.folded == here.cursor.folded:  # no batch was committed meanwhile
                    here.stored = cursor

    def folded(self, partition: int) -> int | None:
        """The last offset folded of a partition; None when it is not this worker's."""
        here = self._assigned.get(partition)
        return here.cursor.folded if here else None

    async def look_ahead(self, partition: int, end: int, *, resting: bool) -> None:
        """Tell how many records wait before the log's `end`. `resting`: nothing else is to be done."""
        here = self._assigned.get(partition)
        if here is None:
            return
        waiting = await self._waiting.count(partition, here.cursor.folded, end, resting=resting)
        if self._assigned.get(partition) is here:  # else it was given away meanwhile, with its gauge
            self._metrics.lag(partition, waiting)

    async def _admit(self, partition: int, here: Assigned, records: Sequence[Record]) -> list[tuple[Record, Listen]]:
        folded = here.cursor.folded
        good: list[tuple[Record, Listen]] = []
        bad: list[tuple[DeadLetter, Record]] = []
        for record in records:
            try:
                good.append((record, admit(record.value, record.key, record.timestamp)))
            except Poison as poison:
                if record.offset > folded:  # else its letter is acknowledged already
                    bad.append((_letter(poison, partition, record), record))
        if bad:
            await self._patiently(self._outbox.dead, bad)
            self._metrics.dead_letters(letter for letter, _ in bad)
        return good

    async def _fold(
        self, partition: int, here: Assigned, listeners: Mapping[str, list[tuple[Record, Listen]]]
    ) -> dict[str, tuple[Profile, ProfileChanged]]:
        await self._fetch(partition, here, set(listeners))
        newest: dict[str, tuple[Record, Listen]] = {}
        profiles, taste, listens, repeats = here.profiles, self._taste, 0, 0
        for user, pairs in listeners.items():  # one after the other: each has its columns at hand
            profile, last = profiles[user], None
            listens += len(pairs)
            for pair in pairs:
                if fold(profile, pair[1], pair[0].offset, taste):
                    last = pair
                else:
                    repeats += 1
            if last is not None:
                newest[user] = last
        self._metrics.folded(listens - repeats, repeats)
        return {
            user: (profiles[user], ProfileChanged(user, partition, r.offset, x.listened_at, max(0, r.timestamp)))
            for user, (r, x) in newest.items()
        }

    async def _fetch(self, partition: int, here: Assigned, users: set[str]) -> None:
        missing = [user for user in users if user not in here.profiles]
        stored = await self._patiently(self._store.read, partition, missing) if missing else []
        decoded = iter(decode_all([data for data in stored if data is not None]))
        damaged: dict[str, BadProfile] = {}
        for user, data in zip(missing, stored, strict=True):
            found = Profile() if data is None else next(decoded)
            if isinstance(found, BadProfile):
                damaged[user] = found
            else:
                here.profiles[user] = found
        await self._remake(partition, here, damaged)
        cached = sum(len(each.profiles) for each in self._assigned.values())
        self._metrics.looked_up(len(users) - len(missing), len(missing), cached)
        for user in users:
            here.profiles.move_to_end(user)

    async def _remake(self, partition: int, here: Assigned, damaged: Mapping[str, BadProfile]) -> None:
        """Make damaged profiles anew, as of the cursor, here and in the store."""
        if not damaged:
            return
        made = await self._remaking.remade(partition, damaged, here.cursor.folded)
        data = {user: Stored(profile.head(), profile.past, begins=True) for user, profile in made.items()}
        # Where another worker has come further, nothing is written, and the batch's own commit tells.
        await self._patiently(self._store.commit, partition, here.cursor.folded, here.cursor, data)
        for profile in made.values():
            profile.past = b""
        here.profiles.update(made)

    async def _commit(self, partition: int, here: Assigned, cursor: Cursor, profiles: dict[str, Profile]) -> bool:
        """Commit; false when another worker has come further, and the batch is to be looked at again."""
        if cursor.folded == here.cursor.folded:
            return True
        data = {user: Stored(profile.head(), profile.past, profile.begins) for user, profile in profiles.items()}
        before = await self._patiently(self._store.commit, partition, here.cursor.folded, cursor, data)
        # A commit whose answer got lost is sent again and finds its own cursor: what is folded up to an offset is the
        # same whoever folded it.
        if before in (here.cursor.folded, cursor.folded):
            here.cursor = here.stored = cursor
            for profile in profiles.values():
                profile.past = b""
            written = sum(len(each.head) + len(each.sealed) for each in data.values())
            self._metrics.committed(partition, cursor.folded, len(data), written)
            while len(here.profiles) > max(1, self._cache_profiles // max(1, len(self._assigned))):
                here.profiles.popitem(last=False)
            return True
        found = (await self._patiently(self._store.cursors, [partition]))[partition]
        rewound = min(before, found.folded) < here.cursor.folded
        self._metrics.fenced(rewound=rewound)
        if rewound:
            raise RewoundError.of(partition, min(before, found.folded), here.cursor.folded)
        log.warning("partition %d: another worker came to offset %d, this one was at %d", partition, found.folded,
                    here.cursor.folded)  # fmt: skip
        here.cursor = here.stored = found
        here.profiles.clear()
        return False

    async def _repeat(self, partition: int, here: Assigned, users: set[str], appended_ms: int) -> list[ProfileChanged]:
        """Notices for listens folded before a crash that may have kept their notices from going out."""
        wanted = sorted(users)
        stored = await self._patiently(self._store.read, partition, wanted) if wanted else []
        heads: dict[str, ProfileView] = {}
        damaged: dict[str, BadProfile] = {}
        for user, data in zip(wanted, stored, strict=True):
            try:
                if data is not None:
                    heads[user] = ProfileView(data)
            except BadProfile as error:
                damaged[user] = error
        await self._remake(partition, here, damaged)
        heads.update((user, here.profiles[user].view()) for user in damaged)
        return [
            ProfileChanged(user, partition, head.version, head.newest * 1000, max(0, appended_ms))
            for user, head in sorted(heads.items())
        ]


def _offset(pair: tuple[Record, Listen]) -> int:
    return pair[0].offset


def _by_listener(pairs: list[tuple[Record, Listen]]) -> dict[str, list[tuple[Record, Listen]]]:
    grouped: defaultdict[str, list[tuple[Record, Listen]]] = defaultdict(list)
    for pair in pairs:
        grouped[pair[1].user_id].append(pair)
    return grouped


def _taken_over(cursor: Cursor) -> Assigned:
    return Assigned(cursor, cursor, min(cursor) + 1)


def _letter(poison: Poison, partition: int, record: Record) -> DeadLetter:
    return DeadLetter.of(poison, LISTENS.name, partition, record.offset, record.timestamp, "profiler")
