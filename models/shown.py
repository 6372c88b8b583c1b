"""What has been shown too often: tracks that stood high in a listener's lists day after day and were not played.

Such a track rests: it is in none of the listener's lists for some days. The memory is the process's own, bounded and
forgotten with it; then nothing rests for a while. Days are those of event time, so a replay of a log shows the same.
"""

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ids import short
from models.profile import ProfileView
from models.taste import DAY

TOP = 20  # places of a list that count as shown
LATEST = 50  # plays and skips, among which an answer to a list is looked for
MOST = 100  # tracks remembered of a listener

Keys = NDArray[np.int64]
NONE: Keys = np.empty(0, dtype=np.int64)


class Sight(Struct):
    """On how many days a track was shown, since it was last played; and the last of them."""

    key: int  # whole, where a profile and so this memory know it by its first bits
    days: int
    last: int


class Shown:
    """Of the last `most` listeners whom lists were made for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[Hashable, dict[int, Sight]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def resting(self, who: Hashable, view: ProfileView | None, days: int, rest_days: int) -> Keys:
        """Keys of the tracks that rest for a listener now: shown on `days` days, less than `rest_days` ago.

        Who has played one meanwhile has answered: it does not rest.
        """
        seen = self._seen.get(who)
        if not seen or view is None:
            return NONE
        today = view.newest // DAY
        found = [sight.key for sight in seen.values() if sight.days >= days and today - sight.last < rest_days]
        if not found:
            return NONE
        keys = np.array(found, dtype=np.int64)
        return keys[~np.isin(short(keys), view.recent[-LATEST:])]

    def remember(self, who: Hashable, view: ProfileView | None, listed: list[int], rest_days: int) -> None:
        """A list stands; `listed` are the keys of its tracks, best first. What has rested begins anew."""
        if view is None:
            return
        today = view.newest // DAY
        seen = self._seen.pop(who, {})
        for key in view.recent[-LATEST:].tolist():
            seen.pop(key, None)
        for key in listed[:TOP]:
            sight = seen.pop(short(key), None)
            if sight is None or today - sight.last >= rest_days:
                sight = Sight(key, 1, today)
            elif sight.last < today:
                sight.days, sight.last = sight.days + 1, today
            seen[short(key)] = sight
        while len(seen) > MOST:
            del seen[next(iter(seen))]
        self._seen[who] = seen
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
