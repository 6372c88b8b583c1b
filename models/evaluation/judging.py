"""Takes the answers of all systems, window after window, and makes the figures of them."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation import metrics
from models.evaluation.bootstrap import Bootstrap, Figure
from models.evaluation.log import Log, Numbers
from models.evaluation.panel import NONE, Answer, Rows
from models.evaluation.protocol import DEPTH, NEXT, Next, Weekly
from models.evaluation.result import Counts, Evaluation, NextList, Served, WeeklyList, figures
from models.evaluation.shares import BySource, Shares
from models.evaluation.systems import SERVED

HOUR = 3_600


class Verdicts:
    """What has been judged so far."""

    def __init__(self, log: Log, guesses: Next, stale_hours: tuple[int, ...]) -> None:
        self._log = log
        self._guesses = guesses
        self._weekly, self._fresh = Rows(len(metrics.WEEKLY)), Rows(len(metrics.OF_NEXT))
        self._stale = {hours: Rows(len(metrics.OF_NEXT)) for hours in stale_hours}
        self._listed = Rows(5)
        self._brought, self._brought_next = BySource(DEPTH), BySource(NEXT)
        self._windows = 0
        self._whole: dict[str, list[list[float]]] = {}
        self._spreads: dict[str, metrics.Spread] = {}
        self._week: Weekly | None = None
        self._judged: set[int] = set()
        self.served = Served(log.names, log.tracks, [], [])

    def begin(self, week: Weekly, systems: list[str]) -> None:
        """A window begins; its answers follow. The first system is the one that is also asked from stale profiles."""
        rows = self._log.played & (self._log.seconds < week.window.start)
        plays = np.bincount(self._log.items[rows], minlength=len(self._log.tracks))
        self._spreads = {name: metrics.Spread(plays) for name in systems}
        self._week, self._judged = week, set(week.judged.tolist())
        for table in (self._weekly, self._fresh, self._listed):
            table.expect(systems)
        for table in self._stale.values():
            table.expect(systems[:1])

    def end(self) -> None:
        """All answers of the window are in. Who should have been judged but could not be asked scores 0."""
        assert self._week is not None  # noqa: S101 - begin comes first; mypy is to know
        for user in sorted(self._judged - set(self._week.asked.tolist())):
            _, met = self._log.known(user, self._week.window.start)
            nothing = metrics.of_week(NONE, self._week.wanted(user), NONE, met)
            for name in self._spreads:
                self._weekly.add(name, user, nothing)
        for name, spread in self._spreads.items():
            self._whole.setdefault(name, []).append(spread.figures())
        self._windows += 1

    def of_week(self, answer: Answer) -> None:
        """A weekly list."""
        assert self._week is not None  # noqa: S101 - as above
        user, ranked = answer.question.user, answer.ranked
        listed = self._spreads[answer.system].add(ranked, answer.known)
        self._listed.add(answer.system, user, np.append(listed, self._windows))
        if answer.system == SERVED:
            self.served.weekly.append(WeeklyList(self._week.window.start, user, ranked))
        if user in self._judged:
            wanted = self._week.wanted(user)
            self._weekly.add(answer.system, user, metrics.of_week(ranked, wanted, answer.known, answer.met))
            self._brought.add(answer.system, user, answer.owed, np.isin(ranked, wanted))

    def of_guess(self, answer: Answer) -> None:
        """A list made at the moment of a play."""
        question = answer.question
        if answer.system == SERVED:
            self.served.next.append(NextList(question.moment, question.user, answer.ranked))
        self._add(self._fresh, answer)
        right = answer.ranked == self._guesses.items[question.key]
        self._brought_next.add(answer.system, question.user, answer.owed, right)

    def of_stale_guess(self, hours: int, answer: Answer) -> None:
        """A list made so many hours before a play."""
        self._add(self._stale[hours], answer)

    def _add(self, rows: Rows, answer: Answer) -> None:
        key, guesses = answer.question.key, self._guesses
        found = metrics.of_guess(answer.ranked, int(guesses.items[key]), bool(guesses.repeat[key]))
        rows.add(answer.system, answer.question.user, found)

    def evaluation(self, starts: list[int], seconds: dict[str, float]) -> Evaluation:
        """The figures of everything."""
        made, apart = figures(self._weekly, metrics.WEEKLY)
        parts = [(self._fresh, metrics.OF_NEXT)]
        for hours, rows in self._stale.items():
            parts.append((rows, tuple(f"stale_{hours}h_{name}" for name in metrics.OF_NEXT)))
        for rows, names in parts:
            more, more_apart = figures(rows, names)
            for into, of in ((made, more), (apart, more_apart)):
                for system, columns in of.items():
                    into.setdefault(system, {}).update(columns)
        for system in self._listed.systems:
            made.setdefault(system, {}).update(_of_lists(*self._listed.of(system)))
        whole = {
            name: dict(zip(metrics.Spread.NAMES, np.mean(windows, axis=0).tolist(), strict=True))
            for name, windows in self._whole.items()
        }
        sources: Shares = {}
        for brought in (self._brought, self._brought_next):
            brought.into(sources)
        return Evaluation(self._counts(starts), made, whole, apart, seconds, sources)

    def _counts(self, starts: list[int]) -> Counts:
        return Counts(
            listens=self._log.events.height,
            listeners=len(self._log.names),
            tracks=len(self._log.tracks),
            windows=starts,
            listener_weeks=self._weekly.height,
            guesses=self._fresh.height,
        )


def _of_lists(users: Numbers, parts: NDArray[np.float64]) -> dict[str, Figure]:
    """metrics.OF_LISTS from what Spread.add said of each list, and its window."""
    percentile, ranks, new, of, window = parts.T
    drawn = Bootstrap(users)
    made = (
        drawn.ratio(percentile, ranks, window),
        drawn.ratio(ranks - percentile, ranks, window),
        drawn.ratio(new, of, window),
    )
    return dict(zip(metrics.OF_LISTS, made, strict=True))
