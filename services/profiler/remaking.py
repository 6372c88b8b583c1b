"""Profiles whose bytes are damaged, made anew: each is the fold of its listener's listens, which the log still has.

It reads the whole partition once, for all that are damaged, and holds up what waits behind it meanwhile. What
retention has removed from the log is not in such a profile.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing

from models.admission import admit
from models.profile import BadProfile, OtherFormat, Profile
from models.taste import TasteSettings, fold
from schemas.errors import Poison
from services.profiler.metrics import Metrics
from services.profiler.patience import Patiently
from services.profiler.ports import Log
from services.runtime.errors import Stopped

log = logging.getLogger(__name__)


class Remaking:
    """Folds some listeners of a partition again."""

    def __init__(
        self, listens: Log, taste: TasteSettings, patiently: Patiently, metrics: Metrics, stop: asyncio.Event
    ) -> None:
        self._log, self._taste, self._patiently = listens, taste, patiently
        self._metrics, self._stop = metrics, stop

    async def remade(self, partition: int, damaged: Mapping[str, BadProfile], until: int) -> dict[str, Profile]:
        """What each of these was at offset `until`. Raises Stopped, and BadProfile for those of another format.

        A log is not read for these: all profiles are of it, and there is a faster way to make them all.
        """
        for error in damaged.values():
            if isinstance(error, OtherFormat):
                raise OtherFormat(
                    f"a stored profile of partition {partition} cannot be read ({error}); delete the keys of its "
                    "partition (profile, past, cursor) and start again: they are rebuilt from the log"
                ) from error
        log.error(
            "partition %d: %d stored profiles cannot be read (%s); they are made anew from the log, up to offset %d",
            partition, len(damaged), next(iter(damaged.values())), until,
        )  # fmt: skip
        profiles, first = await self._patiently(self._folded, partition, list(damaged), until)
        self._metrics.remade(len(profiles))
        if until >= 0 and first != 0:
            log.error(
                "partition %d: the log begins at offset %s; what the %d listeners heard before is in no profile of "
                "theirs any more", partition, f"{until + 1} or later" if first is None else first, len(damaged),
            )  # fmt: skip
        return profiles

    async def _folded(self, partition: int, users: list[str], until: int) -> tuple[dict[str, Profile], int | None]:
        """And the first offset that there was."""
        profiles = {user: Profile() for user in users}
        keys = {user.encode() for user in users}
        first: int | None = None
        async with aclosing(self._log.read(partition, until)) as batches:
            async for records in batches:
                if self._stop.is_set():
                    raise Stopped("told to stop while profiles were made anew; whoever has the partition next does it")
                self._metrics.idle()  # a long log is not being stuck
                first = records[0].offset if first is None else first
                for record in records:
                    if record.key not in keys:
                        continue
                    try:
                        listen = admit(record.value, record.key, record.timestamp)
                    except Poison:
                        continue
                    fold(profiles[listen.user_id], listen, record.offset, self._taste)
        return profiles, first
