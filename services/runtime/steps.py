"""How far long work is, for a person: bars with the time they took and will take on a terminal, lines anywhere else."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Tell = Callable[[str, float], None]  # (step, share of it that is done)


class Told(Protocol):
    """Hears how far the one step is."""

    def __call__(self, done: float, of: float | None = 1.0, what: str | None = None) -> None:
        """`done` of `of`, nothing or 0 where nobody knows; `what` it is about now, where that changes."""


@contextmanager
def steps(console: Console, about: Mapping[str, str], parts: int = 0) -> Iterator[Tell]:
    """A bar a step. Away from a terminal a line when a step begins, or one at each of so many `parts` of it.

    `about` says what each step does; of one that is not there its name does.
    """
    if not console.is_terminal:
        yield _lines(console, about, parts)
        return
    with _bars(console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(about.get(step, step), total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


@contextmanager
def one_step(console: Console, what: str = "") -> Iterator[Told]:
    """One bar, gone at the end; away from a terminal nothing."""
    with _bars(console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)

        def told(done: float, of: float | None = 1.0, what: str | None = None) -> None:
            bars.update(task, completed=done, total=of or None, description=what)

        yield told


def _bars(console: Console, transient: bool = False, disable: bool = False) -> Progress:
    columns = (TextColumn("{task.description:40}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=transient, disable=disable)


def _lines(console: Console, about: Mapping[str, str], parts: int) -> Tell:
    told: dict[str, int] = {}

    def tell(step: str, done: float) -> None:
        part = int(done * parts)
        if part > told.get(step, -1):
            told[step] = part
            how_far = f": {part * 100 // parts} %" if parts else " ..."
            console.print(f"{about.get(step, step)}{how_far}", markup=False, highlight=False)

    return tell
