"""Which list stood for a listener at a moment: the few newest of each, compact, of a bounded number of listeners."""

from array import array
from collections import OrderedDict
from sys import intern

from msgspec import Struct

from models.ids import cached_key_of
from schemas.recommendation import Recommendations

# Only one is needed, unless a list made from a listen seems older than it: made in the same ms, or by a slow clock.
NEWEST = 4


class Kept(Struct, frozen=True, gc=False):
    """A list without words: tracks as keys (models.ids), sources as numbers of `Standing.sources`."""

    made_at: int
    version: int  # the offset in `listens` up to which it knows the listener
    list_id: str
    release_id: str
    variant: str
    tracks: "array[int]"
    sources: "array[int]"


class Standing:
    """The lists of the last `most` listeners that had one. Partitions are kept apart."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lists: OrderedDict[tuple[int, str], tuple[Kept, ...]] = OrderedDict()  # oldest first, both ways
        self._numbers: dict[str, int] = {}  # source -> its number
        self.sources: list[str] = []

    def __len__(self) -> int:
        return len(self._lists)

    def compact(self, made: Recommendations) -> Kept:
        """The same list in a tenth of the memory."""
        return Kept(
            made.made_at, made.profile_version, made.list_id, intern(made.release_id), intern(made.variant),
            array("q", [cached_key_of(item.track_id) for item in made.items]),
            array("H", [self._number(item.source) for item in made.items]),
        )  # fmt: skip

    def put(self, partition: int, user_id: str, kept: Kept) -> bool:
        """This is the listener's newest list; whether another listener had to be forgotten for it."""
        place = (partition, user_id)
        self._lists[place] = (*self._lists.pop(place, ())[1 - NEWEST :], kept)
        if len(self._lists) <= self._most:
            return False
        self._lists.popitem(last=False)
        return True

    def before(self, partition: int, user_id: str, offset: int, appended_ms: int) -> Kept | None:
        """The newest list that was there when a listen was appended, and that cannot know of it.

        Older ones are dropped: offsets and times of a partition only grow, so nobody asks for them again.
        """
        place = (partition, user_id)
        lists = self._lists.get(place)
        if lists is None:
            return None
        for at in range(len(lists) - 1, -1, -1):
            kept = lists[at]
            if kept.made_at <= appended_ms and kept.version < offset:
                if at:
                    self._lists[place] = lists[at:]
                self._lists.move_to_end(place)
                return kept
        return None

    def forget(self, partition: int, user_id: str) -> None:
        """The listener's list was taken off its topic."""
        self._lists.pop((partition, user_id), None)

    def drop(self, partition: int) -> None:
        """Another member has this partition now."""
        for place in [place for place in self._lists if place[0] == partition]:
            del self._lists[place]

    def _number(self, source: str) -> int:
        number = self._numbers.get(source)
        if number is None:
            number = self._numbers[source] = len(self.sources)
            self.sources.append(source)
        return number
