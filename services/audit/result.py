"""What an audit finds."""

from collections.abc import Iterable

from msgspec import Struct, field


class Example(Struct, frozen=True, omit_defaults=True):
    """One trouble, told without naming anybody unless that was asked for."""

    kind: str
    partition: int
    offset: int  # where in the log it shows; -1: nowhere in particular
    says: str
    user_id: str = ""


class Partition(Struct):
    """One partition of `listens` and its profiles. Records are counted, unless offsets are said.

    `equal + differing + unreadable + unauditable == profiles`. A profile that lacks one event and has another twice is
    in both `lost` and `doubled`, and once in `differing`.
    """

    partition: int  # -1: the sum of all
    first: int = 0  # the log's first offset
    end: int = 0  # the offset that reading stopped before
    cursor: int = -1  # the last offset folded, as compared; of the sum: nothing
    gone: int = 0  # offsets before `first`: removed by retention
    unfolded_gone: int = 0  # of these, offsets that Redis had not folded: nothing brings them back
    behind: int = 0  # records the profiler has still to fold
    ahead: int = 0  # offsets that the cursor is beyond the end of the log
    events: int = 0
    admitted: int = 0
    dead: int = 0  # refused by models.admission
    repeats: int = 0  # of an event id within the listener's window: rightly not counted
    profiles: int = 0  # compared
    equal: int = 0
    differing: int = 0
    lost: int = 0  # profiles that lack an event of the log
    doubled: int = 0  # profiles that count an event more than once
    other: int = 0  # profiles that differ in a way that neither explains
    unreadable: int = 0
    unauditable: int = 0  # the log no longer has the events that they began with
    extra: int = 0  # profiles of which the log knows no listener
    events_lost: int = 0  # at least so many
    events_doubled: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is amiss; being behind is not, nor is what cannot be audited."""
        return not (self.differing or self.unreadable or self.extra or self.ahead or self.unfolded_gone)


class Lists(Struct):
    """The newest lists against the profiles."""

    release: str = ""  # in force; empty: there is none, so nobody can have a list
    checked: int = 0  # listeners with a profile
    fresh: int = 0  # whose newest list is of their profile's very version, or of a newer one
    stale: int = 0  # whose newest list is older, or who have none
    without: int = 0  # of the stale: who have none
    overtaken: int = 0  # the newest list is not the last one on the topic: readers see, and compaction keeps, another
    beyond: int = 0  # lists of a version that their profile has not reached
    orphans: int = 0  # lists of listeners who have no profile
    contradicting: int = 0  # list ids that came twice with different items
    unreadable: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is amiss."""
        return not any((self.stale, self.overtaken, self.beyond, self.orphans, self.contradicting, self.unreadable))


class Letters(Struct):
    """The dead letters against the refused records of the log."""

    letters: int = 0
    refused: int = 0  # offsets that need one
    missing: int = 0  # refused, folded over, and no letter
    expired: int = 0  # refused so long ago that retention may have removed the letter
    wrong: int = 0  # letters about offsets that the log admits, or that it never had
    altered: int = 0  # letters whose key or value is not the log's
    repeated: int = 0  # second letters for an offset: at least once is what is promised
    unreadable: int = 0  # records without a dead letter's headers

    @property
    def clean(self) -> bool:
        """Whether nothing is amiss."""
        return not (self.missing or self.wrong or self.altered or self.unreadable)


class Kept(Struct):
    """The trainer's history against the log."""

    folder: str
    segments: int = 0
    listens: int = 0
    missing: int = 0  # admitted offsets of the log, within what the history says it has read, that it lacks
    doubled: int = 0  # offsets it has more than once
    foreign: int = 0  # offsets it has that the log refuses or never had
    gaps: int = 0  # offsets between segments that no segment covers, and the log still has
    outside: int = 0  # rows outside the offsets that their segment is named for
    aside: int = 0  # half-written files
    behind: int = 0  # admitted offsets after its end: still to be read
    unchecked: int = 0  # rows before the log's first offset
    identity: str = ""  # why it is the history of another log; empty: it is of this one

    @property
    def clean(self) -> bool:
        """Whether nothing is amiss; being behind is not."""
        return not (
            self.missing or self.doubled or self.foreign or self.gaps or self.outside or self.aside or self.identity
        )


class Audit(Struct):
    """Everything that was found."""

    partitions: list[Partition]
    total: Partition
    lists: Lists | None = None
    letters: Letters | None = None
    history: Kept | None = None
    examples: list[Example] = field(default_factory=list)
    seconds: float = 0.0
    left: int = 0  # offsets still to be folded when `wait_s` was over; 0: the profiler had caught up, or nobody waited

    @property
    def clean(self) -> bool:
        """Whether profiles, lists, letters and history are what the log says."""
        parts = (self.lists, self.letters, self.history)
        return self.total.clean and all(part is None or part.clean for part in parts)


def summed(partitions: Iterable[Partition]) -> Partition:
    """All partitions in one; its `partition`, `first`, `end` and `cursor` say nothing."""
    total = Partition(-1)
    counted = [name for name in Partition.__struct_fields__ if name not in ("partition", "first", "end", "cursor")]
    for each in partitions:
        for name in counted:
            setattr(total, name, getattr(total, name) + getattr(each, name))
    return total
