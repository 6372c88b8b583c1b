"""The scorer's core: a batch of notices in, one fresh list a listener out. Knows no broker and no Redis.

The order is the guarantee:

1. of several notices of one listener only the newest counts, and none that a list already covers,
2. the profiles are read in one round trip; a list is made from what was *read*, which may be newer than its notice,
3. the lists are acknowledged by the broker, while the next batch is fetched and made if one is waiting, but before its
   lists are sent,
4. only then the caller commits the offsets of the notices.

Lists that took long to stand are made and sent once more: their partitions may have been another's meanwhile, which
made newer ones. A crash between any two repeats notices and never loses one; a repeated list has the same id. A profile
older than its notice, or none, means that Redis lost its newest second (or everything): that notice is passed over,
because the profiler finds the gap, folds the log again from there and announces every profile anew.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from models.excluded import BadExclude
from models.flat import readable
from models.ids import cached_key_of
from models.profile import BadProfile, ProfileView
from models.recommender import Lap
from models.shown import TOP, Shown
from schemas.codec import decode
from schemas.errors import Poison
from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations
from services.runtime.errors import Transient
from services.runtime.group import Patience, Record
from services.scorer.arms import Arm, Arms, Usable
from services.scorer.lists import written
from services.scorer.made import Made
from services.scorer.metrics import Metrics
from services.scorer.ports import Lists, Profiles

WARMING = 32  # profiles kept to warm the next release with
OLD_MS = 3_000  # since a profile was read, when its list is sent: half of what a group waits for a silent member

log = logging.getLogger(__name__)


class Sent(NamedTuple):
    """Lists on their way, and what they were made of."""

    lists: list[Recommendations]
    notices: list[ProfileChanged]
    arms: Arms
    read_at: int  # ms, their profiles

    def listeners(self) -> set[tuple[int, str]]:
        """Whose they are."""
        return {(made.partition, made.user_id) for made in self.lists}


class Scorer:
    """Makes lists of batches of notices, one batch at a time."""

    def __init__(
        self,
        profiles: Profiles,
        lists: Lists,
        metrics: Metrics,
        made: Made,
        patiently: Patience,
        now: Callable[[], int],
        max_batch: int,
        remember: int = 100_000,
    ) -> None:
        """`now` gives milliseconds since epoch; `remember`: listeners whose shown tracks are remembered."""
        self._profiles, self._lists = profiles, lists
        self._metrics, self._made = metrics, made
        self._patiently, self._now = patiently, now
        self._max_batch = max_batch
        self._shown = Shown(remember)
        self._sent: Sent | None = None  # not known to stand
        self.seen: deque[bytes] = deque(maxlen=WARMING)

    def score(self, records: Sequence[Record], arms: Arms) -> None:
        """Take a batch: when this returns, its lists are sent, and all those before them stand. `settle` waits for its.

        All of them are made from one release.
        """
        self._refresh(arms)
        newest = newest_of(self._decoded(records))
        if self._sent and self._sent.listeners() & {(notice.partition, notice.user_id) for notice in newest}:
            self.settle()  # then these lists may cover what is noticed
        wanted = [notice for notice in newest if not self._made.covers(notice)]
        self._metrics.noticed(len(records), len(records) - len(wanted))
        if not wanted:
            self.settle()
        for start in range(0, len(wanted), self._max_batch):
            self._make(wanted[start : start + self._max_batch], arms)

    def settle(self) -> None:
        """Wait until all lists stand that were sent."""
        sent = self._sent
        if sent is None:
            return
        stood_at = self._stand(sent)
        if stood_at - sent.read_at > OLD_MS:  # they may stand behind newer ones: their partitions were away meanwhile
            self._send(self._listed(sent.notices, sent.arms))
            if self._sent is not None:
                self._stand(self._sent)

    def _stand(self, sent: Sent) -> int:
        """Wait until these stand; since when they do, in ms."""
        lap = self._metrics.stopwatch()
        ago = self._patiently(self._lists.settle)
        lap("acknowledge")
        self._sent, stood_at = None, self._now() - round(ago * 1000)
        for made in sent.lists:
            self._made.remember(made)
        self._metrics.remembered(len(self._made))
        self._metrics.listed(sent.lists, stood_at)
        return stood_at

    def part(self) -> None:
        """Some partitions go to others now, who may send newer lists of their listeners: those sent stand before.

        The broker is asked only once, for this is called from within the group.
        """
        try:
            self._lists.settle()
        except Transient as error:
            log.warning(
                "partitions go while their last lists may not stand; the next owner makes them again: %s", error
            )

    def take_over(self, partitions: Collection[int]) -> None:
        """These partitions were just given to this scorer: what stands there it has not all made itself.

        While a Redis that lost everything is rebuilt, another scorer may have made a list of an old profile anew; the
        one of the newest, which this scorer remembers from before, must then be made again to stand last.
        """
        self.settle()
        self._made.forget(partitions)

    def _make(self, notices: list[ProfileChanged], arms: Arms) -> None:
        made = self._listed(notices, arms)
        self.settle()  # has mostly come true while these were made
        if self._now() - made.read_at > OLD_MS:  # their partitions may have been another's meanwhile, and it further
            made = self._listed(notices, arms)
        self._send(made)

    def _send(self, sent: Sent) -> None:
        lap = self._metrics.stopwatch()
        self._lists.send(sent.lists)
        self._sent = sent if sent.lists else None
        lap("send")

    def _listed(self, notices: list[ProfileChanged], arms: Arms) -> Sent:
        watch = self._metrics.stopwatch()

        def lap(stage: str) -> None:
            watch(stage)
            self._lists.look()  # so that those under way are as late as their acknowledgement, and no later

        wanted = [(each.partition, each.user_id) for each in notices]
        read_at, stored = self._patiently(lambda: self._fetched(wanted))
        usable = list(self._usable(notices, stored))
        lap("fetch")
        lists = [made for arm, mine in arms.shared(usable) for made in self._listed_by(arm, mine, lap)]
        return Sent(lists, notices, arms, read_at)

    def _fetched(self, wanted: Sequence[tuple[int, str]]) -> tuple[int, list[bytes | None]]:
        """When these profiles were read, in ms, and what was."""
        read_at = self._now()
        try:
            return read_at, self._profiles.read(wanted)
        except Transient:
            self._lists.look()  # it may be long until the next lap
            raise

    def _listed_by(self, arm: Arm, usable: list[Usable], lap: Lap) -> list[Recommendations]:
        views, settings = [view for _, view in usable], arm.settings
        resting = None
        if settings.shown_days:
            days, rest_days = settings.shown_days, settings.shown_rest_days
            resting = [self._shown.resting(notice.user_id, view, days, rest_days) for notice, view in usable]
        listed = arm.recommender.recommend_all(views, settings.length, lap, resting)
        now, release = self._now(), arm.recommender.release.id
        made = [
            written(notice, view, items, release, now, arm.name, mixes)
            for (notice, view), (items, mixes) in zip(usable, listed, strict=True)
        ]
        if resting is not None:
            for each, view in zip(made, views, strict=True):
                keys = [cached_key_of(item.track_id) for item in each.items[:TOP]]
                self._shown.remember(each.user_id, view, keys, settings.shown_rest_days)
        lap("write")
        return made

    def _refresh(self, arms: Arms) -> None:
        """What is excluded is excluded from the very next list; a file that has become unreadable changes nothing."""
        try:
            arms.refresh()
        except BadExclude as error:
            log.error("%s", error)

    def _decoded(self, records: Sequence[Record]) -> Iterable[ProfileChanged]:
        for record in records:
            try:
                yield decode(ProfileChanged, record.value)
            except Poison as poison:
                self._metrics.skipped("poison")
                log.error("notice %d-%d is passed over: %s", record.partition, record.offset, poison)

    def _usable(self, notices: list[ProfileChanged], stored: list[bytes | None]) -> Iterable[Usable]:
        for notice, data, view in self._read(notices, stored):
            if view.version < notice.version:
                self._metrics.skipped("profile_behind")
                continue
            self.seen.append(data)
            yield notice, view

    def _read(
        self, notices: list[ProfileChanged], stored: list[bytes | None]
    ) -> Iterable[tuple[ProfileChanged, bytes, ProfileView]]:
        """Those whose profile is there, and sound to its last byte: nothing that makes lists looks at that again."""
        found: list[tuple[ProfileChanged, bytes, ProfileView]] = []
        for notice, data in zip(notices, stored, strict=True):
            if data is None:
                self._metrics.skipped("no_profile")
                continue
            try:
                found.append((notice, data, ProfileView(data)))
            except BadProfile as error:
                self._refuse(notice, error)
        for each, wrong in zip(found, readable([view for _, _, view in found]), strict=True):
            if wrong is None:
                yield each
            else:
                self._refuse(each[0], wrong)

    def _refuse(self, notice: ProfileChanged, error: BadProfile) -> None:
        self._metrics.skipped("bad_profile")
        log.error(
            "no list is made for a listener of partition %d, whose profile cannot be read: %s; docs/runbooks.md, "
            "SegueNoticesUnusable, says what to do", notice.partition, error,
        )  # fmt: skip


def newest_of(notices: Iterable[ProfileChanged]) -> list[ProfileChanged]:
    """One notice a listener: that of the highest version, which a repeated notice need not be."""
    newest: dict[tuple[int, str], ProfileChanged] = {}
    for notice in notices:
        key = (notice.partition, notice.user_id)
        other = newest.get(key)
        if other is None or notice.version >= other.version:
            newest[key] = notice
    return list(newest.values())
