"""What an evaluation found."""

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.evaluation.bootstrap import Bootstrap, Figure
from models.evaluation.log import Numbers
from models.evaluation.panel import Rows
from models.evaluation.shares import Shares
from models.evaluation.systems import SERVED


class WeeklyList(NamedTuple):
    """A served list: for which window (its start, s), for whom, the tracks best first."""

    window_start: int
    user: int
    tracks: Numbers


class NextList(NamedTuple):
    """A served list made at a moment (s)."""

    at: int
    user: int
    tracks: Numbers


class Served(NamedTuple):
    """The served lists themselves, in numbers of a log: listener u is `names[u]`, track i is `ids[i]`."""

    names: list[str]
    ids: list[str]
    weekly: list[WeeklyList]
    next: list[NextList]


class Counts(Struct, frozen=True):
    """What was judged."""

    listens: int
    listeners: int
    tracks: int
    windows: list[int]  # their starts, s
    listener_weeks: int
    guesses: int


class Evaluation(Struct, frozen=True):
    """Figures by system and metric. `whole` are figures of all lists together, which have no interval."""

    counts: Counts
    figures: dict[str, dict[str, Figure]]
    whole: dict[str, dict[str, float]]
    differences: dict[str, dict[str, Figure]]  # served minus each other system, paired by question
    seconds: dict[str, float]
    sources: Shares  # what each source has of the places and of the hits, of systems that ask several

    def values(self, system: str) -> dict[str, float]:
        """metric -> value, without intervals."""
        means = {metric: figure.mean for metric, figure in self.figures[system].items()}
        return {**means, **self.whole.get(system, {})}


def figures(rows: Rows, names: tuple[str, ...]) -> tuple[dict[str, dict[str, Figure]], dict[str, dict[str, Figure]]]:
    """Means of every system, and of served minus every other; `names` of the columns."""
    made: dict[str, dict[str, Figure]] = {}
    apart: dict[str, dict[str, Figure]] = {}
    for system in rows.systems:
        users, values = rows.of(system)
        drawn = Bootstrap(users)
        made[system] = _columns(drawn, values, names)
        if system != SERVED and SERVED in rows.systems:
            apart[system] = _columns(drawn, rows.of(SERVED)[1] - values, names)
    return made, apart


def _columns(drawn: Bootstrap, values: NDArray[np.float64], names: tuple[str, ...]) -> dict[str, Figure]:
    return {name: drawn.figure(values[:, at]) for at, name in enumerate(names)}
