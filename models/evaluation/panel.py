"""Questions of one sort, asked of several systems in batches, and how well each answered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.log import Log, Numbers
from models.evaluation.shares import Owed
from models.evaluation.systems import Asked, Kind, Served, System
from models.profile import ProfileView

BATCH = 64  # questions whose profiles and scores over all tracks are in memory at once

NONE: Numbers = np.empty(0, dtype=np.int64)


class Question(NamedTuple):
    """One list that is asked for. `key` is whatever tells who asks which it was."""

    user: int
    moment: int
    profile: bytes | None
    key: int


class Answer(NamedTuple):
    """A system's list, what was known of the listener then (weekly only), and which sources its tracks are owed to."""

    system: str
    question: Question
    ranked: Numbers
    known: Numbers
    met: Numbers
    owed: Owed | None = None


class Panel:
    """Gathers questions and puts them to every system. Each system answers all of them, in the same order."""

    def __init__(
        self, log: Log, kind: Kind, systems: Mapping[str, System], judge: Callable[[Answer], None]
    ) -> None:  # fmt: skip
        self._log = log
        self._kind = kind
        self._systems = systems
        self._judge = judge
        self._waiting: list[Question] = []

    def ask(self, question: Question) -> None:
        """Put a question; it is answered with the next full batch, or by `end`."""
        self._waiting.append(question)
        if len(self._waiting) >= BATCH:
            self.end()

    def end(self) -> None:
        """Have what waits answered."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        weekly = self._kind == "weekly"
        had = [self._log.known(each.user, each.moment) if weekly else (NONE, NONE) for each in waiting]
        asked = Asked(
            self._kind,
            np.array([each.user for each in waiting]),
            np.array([each.moment for each in waiting]),
            [None if each.profile is None else ProfileView(each.profile) for each in waiting],
            [known for known, _ in had],
            [met for _, met in had],
        )
        for name, system in self._systems.items():
            for question, (ranked, owed), (known, met) in zip(waiting, _lists(system, asked), had, strict=True):
                self._judge(Answer(name, question, ranked, known, met, owed))


def _lists(system: System, asked: Asked) -> Sequence[tuple[Numbers, Owed | None]]:
    if isinstance(system, Served):
        return system.owed(asked)
    return [(ranked, None) for ranked in system.lists(asked)]


class Rows:
    """Metrics of every system, one row a question; the rows of all systems are of the same questions."""

    def __init__(self, metrics: int) -> None:
        self._metrics = metrics
        self._users: dict[str, list[int]] = {}
        self._values: dict[str, list[NDArray[np.float64]]] = {}

    def expect(self, systems: Iterable[str]) -> None:
        """These systems will be asked: they have figures even when they get no row."""
        for system in systems:
            self._users.setdefault(system, [])
            self._values.setdefault(system, [])

    def add(self, system: str, user: int, values: NDArray[np.float64]) -> None:
        """One more row."""
        self._users[system].append(user)
        self._values[system].append(values)

    def of(self, system: str) -> tuple[Numbers, NDArray[np.float64]]:
        """(whose, values): (rows,) and (rows, metrics)."""
        return np.array(self._users[system], dtype=np.int64), np.array(self._values[system]).reshape(-1, self._metrics)

    @property
    def systems(self) -> list[str]:
        """Those that were expected, in that order."""
        return list(self._values)

    @property
    def height(self) -> int:
        """Rows of each system."""
        return len(next(iter(self._values.values()), []))
