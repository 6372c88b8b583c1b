"""What the outcomes say: shares with intervals, by day, source, release and variant. Pure."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.evaluation.bootstrap import Ratio, ratio_apart
from services.report.reading import Columns, Numbers

TOP = 20
DAY_MS = 86_400_000
CHOSEN = {"listener": "by the listener", "list": "from our lists", "other": "radio, other lists"}
Z = 1.959964  # of a 95 % interval
FEWEST = 20  # listeners a variant: of fewer redrawn the interval is too narrow (docs/live-evaluation.md has figures)

Rows = NDArray[np.bool_]


class Share(Struct, frozen=True):
    """`hits` of `n`, and Wilson's 95 % interval (Wilson 1927), each listen taken as independent."""

    share: float | None  # None, as are `low` and `high`: of nothing, so nothing is known
    low: float | None
    high: float | None
    hits: int
    n: int


class Line(Struct, frozen=True):
    """One group of listens."""

    name: str
    listens: int
    listeners: int
    hit_top: Share  # of the listens: the track was among the first TOP of the standing list
    hit: Share  # … anywhere in it
    skipped_hits: Share  # of the hits: were skipped
    skipped: Share  # of the listens: were skipped


class Apart(Struct, frozen=True):
    """How far variant a is above variant b, listeners redrawn; without intervals where either has under FEWEST."""

    hit_top: Ratio
    hit: Ratio
    skipped_hits: Ratio
    skipped: Ratio


class Report(Struct, frozen=True):
    """Everything that `segue report` shows."""

    all: Line
    chosen: list[Line]  # by the listener, our lists, something other, or not told
    days: list[Line]
    sources: list[Line]  # of all listens, those that hit a track of this source
    releases: list[Line]
    variants: list[Line]
    apart: Apart | None  # None: there are not both variants
    in_both: int  # listeners who had lists of both variants: the share or the salt was changed meanwhile
    repeats: int  # outcomes left out, since their event was counted already
    unreadable: int


def of_chosen(found: Columns, chosen: str) -> Columns:
    """Only what was chosen so: "listener", "list" or "other"."""
    names = found.names["chosen"]
    return found.where(found.chosen == (names.index(chosen) if chosen in names else len(names)))


def wilson(hits: int, n: int) -> Share:
    """`hits` of `n` with its interval; of nothing there is neither."""
    if n == 0:
        return Share(None, None, None, 0, 0)
    share, spread = hits / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    return Share(share, max(0.0, middle - half), min(1.0, middle + half), hits, n)


def report(found: Columns, repeats: int, unreadable: int) -> Report:
    """Every figure of these outcomes."""
    variants = list(_lines(found, found.variant, found.names["variant"]))
    return Report(
        all=_line("all", found),
        chosen=[
            _line(name, found.where(found.chosen == number))
            for name, number in _chosen(found)
            if (found.chosen == number).any()
        ],
        days=[
            _line(str(np.datetime64(int(day), "D")), found.where(found.at // DAY_MS == day))
            for day in np.unique(found.at // DAY_MS)
        ],
        sources=sorted(_sources(found), key=lambda line: -line.hit.hits),
        releases=list(_lines(found, found.release, found.names["release"])),
        variants=sorted(variants, key=lambda line: line.name),
        apart=_apart(found),
        in_both=_in_both(found),
        repeats=repeats,
        unreadable=unreadable,
    )


def _lines(found: Columns, column: Numbers, names: list[str]) -> Iterator[Line]:
    """A line a name, in the order of their first outcome; names that no row has are left out."""
    numbers, first = np.unique(column, return_index=True)
    for number in numbers[np.argsort(found.at[first], kind="stable")]:
        yield _line(names[int(number)], found.where(column == number))


def _chosen(found: Columns) -> Iterator[tuple[str, int]]:
    names = found.names["chosen"]
    for name, told in CHOSEN.items():
        if name in names:
            yield told, names.index(name)
    yield "not told", -1


def _sources(found: Columns) -> Iterator[Line]:
    for number in np.unique(found.source[found.source >= 0]):
        yield _line(found.names["source"][int(number)], found, found.source == number)


def _line(name: str, found: Columns, among: Rows | None = None) -> Line:
    """One group; `among`: count only these hits, of all its listens."""
    hit = found.rank > 0 if among is None else (found.rank > 0) & among
    n, hits = len(found), int(hit.sum())
    return Line(
        name=name,
        listens=n,
        listeners=len(np.unique(found.listener)),
        hit_top=wilson(int((hit & (found.rank <= TOP)).sum()), n),
        hit=wilson(hits, n),
        skipped_hits=wilson(int((hit & found.skipped).sum()), hits),
        skipped=wilson(int(found.skipped.sum()), n),
    )


def _apart(found: Columns) -> Apart | None:
    names = found.names["variant"]
    if "a" not in names or "b" not in names:
        return None
    of_a, of_b = (found.variant == names.index(name) for name in ("a", "b"))
    if not of_a.any() or not of_b.any():
        return None
    hit = found.rank > 0
    one = np.ones(len(found), dtype=bool)

    def apart(over: Rows, under: Rows) -> Ratio:
        known = ratio_apart(found.listener, over, under, of_a, of_b)
        return known if min(known.first, known.second) >= FEWEST else replace(known, low=None, high=None)

    return Apart(
        apart(hit & (found.rank <= TOP), one), apart(hit, one), apart(hit & found.skipped, hit),
        apart(found.skipped, one),
    )  # fmt: skip


def _in_both(found: Columns) -> int:
    pairs = np.unique(np.stack([found.listener, found.variant]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
