"""What went wrong and what was left out while reading, told as it comes and counted to the end."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

SHOWN = 20  # problems shown of one import unless asked for all
MOST_NAMES, LONGEST = 12, 30  # names of columns that a message tells, and characters of one


def names_told(names: Sequence[str]) -> str:
    """Names of columns for a message, cut: those of a file without a header are its first row, maybe a whole song."""
    told = [name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in names[:MOST_NAMES]]
    return ", ".join(told if len(names) <= MOST_NAMES else [*told, "…"])


class Problem(Struct, frozen=True):
    """One line or row that is not taken in."""

    file: str
    where: str  # "line 7", "row 7", "item 7"; empty: the file as a whole
    field: str  # which field is wrong; empty: the line as a whole
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.where, self.field, self.message) if part)


class Report:
    """Counts problems and left-out rows. The first `limit` problems are told (None: all of them)."""

    def __init__(self, tell: Callable[[Problem], None] | None = None, limit: int | None = SHOWN) -> None:
        self._tell = tell
        self._limit = limit
        self.bad = 0
        self.told: list[Problem] = []
        self.left_out: Counter[str] = Counter()  # why -> rows; none of them a fault
        self.labels: dict[str, Counter[str]] = {}  # of recordings: task -> class -> how many have it

    def problem(self, file: str, where: str, field: str, message: str) -> None:
        """One line, row or file cannot be taken in."""
        self.bad += 1
        if self._limit is None or len(self.told) < self._limit:
            found = Problem(file, where, field, message)
            self.told.append(found)
            if self._tell:
                self._tell(found)

    def problems(self, file: str, found: Iterable[tuple[str, str, str]], count: int) -> None:
        """`count` of them at once; of `found` (where, field, message) only so many are looked at as will be told."""
        before = self.bad
        for where, field, message in found:
            if self._limit is not None and len(self.told) >= self._limit:
                break
            self.problem(file, where, field, message)
        self.bad = before + count

    def leave_out(self, why: str, rows: int = 1) -> None:
        """Rows that are fine but no listens: podcasts, "playing now"…"""
        if rows:
            self.left_out[why] += rows
