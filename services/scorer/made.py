"""Which lists stand already, so that late notices of what they cover make no second one."""

from collections import OrderedDict
from collections.abc import Collection

from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations


class Made:
    """The newest list of each of the last `most` listeners: only what it covers, not the list."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._covered: OrderedDict[tuple[int, str], tuple[int, int]] = OrderedDict()  # -> version, made at

    def __len__(self) -> int:
        return len(self._covered)

    def covers(self, notice: ProfileChanged) -> bool:
        """Whether an acknowledged list reflects this notice.

        A listen appended after the list was made is never covered, whatever its offset: where somebody began the log
        again from nothing, offsets are small once more.
        """
        version, made_at = self._covered.get((notice.partition, notice.user_id), (-1, -1))
        return notice.version <= version and notice.produced_at <= made_at

    def forget(self, partitions: Collection[int]) -> None:
        """Somebody else may have made lists for the listeners of these since."""
        for key in [key for key in self._covered if key[0] in partitions]:
            del self._covered[key]

    def remember(self, made: Recommendations) -> None:
        """This list is acknowledged."""
        key = (made.partition, made.user_id)
        self._covered.pop(key, None)
        self._covered[key] = (made.profile_version, made.made_at)
        if len(self._covered) > self._most:
            self._covered.popitem(last=False)
