"""Reads the lists as they come, and tells when every listener's is fresh."""

import asyncio
import time
from collections.abc import Callable, Mapping

from aiokafka import ConsumerRecord, TopicPartition

from schemas.codec import decode
from schemas.recommendation import Recommendations
from schemas.topics import RECOMMENDATIONS
from services.faults.reading import read_on
from services.runtime.settings import KafkaSettings

LOOK_S = 0.05


class Watch:
    """The newest list's profile version of each listener."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.versions: dict[str, int] = {}
        self.lists = 0
        self.longest_s = 0.0  # that a listener's list was behind; set it to 0 to begin anew
        self._behind: dict[str, tuple[int, float]] = {}  # the offset that the list lacks, since when

    async def run(self) -> None:
        """Until cancelled; through outages of the broker."""
        await read_on(self._kafka, (RECOMMENDATIONS,), self._take)

    async def follow(self, newest: Callable[[], Mapping[str, int]]) -> None:
        """Note, until cancelled, for how long any listener's list is behind what `newest` says there is."""
        while True:
            now = time.monotonic()
            for user, offset in newest().items():
                standing = self.versions.get(user, -1)
                lacked, since = self._behind.get(user, (-1, now))
                if user in self._behind:
                    self.longest_s = max(self.longest_s, now - since)
                    if standing >= lacked:
                        del self._behind[user]
                if standing < offset and user not in self._behind:
                    self._behind[user] = offset, now
            await asyncio.sleep(LOOK_S)

    def stale(self, wanted: Mapping[str, int]) -> set[str]:
        """The listeners whose newest list is older than this offset."""
        return {user for user, offset in wanted.items() if self.versions.get(user, -1) < offset}

    async def fresh(self, wanted: Mapping[str, int], within_s: float) -> bool:
        """Whether all of these are reached within so many seconds."""
        end = time.monotonic() + within_s
        while self.stale(wanted):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _take(self, _: TopicPartition, record: ConsumerRecord) -> None:
        made = decode(Recommendations, record.value)
        self.lists += 1
        if made.profile_version >= self.versions.get(made.user_id, -1):
            self.versions[made.user_id] = made.profile_version
