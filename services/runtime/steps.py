"""How far the named steps of long work are, for a person: bars on a terminal, lines anywhere else."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Tell = Callable[[str, float], None]  # (step, share of it that is done)


@contextmanager
def steps(console: Console, about: Mapping[str, str], parts: int = 0) -> Iterator[Tell]:
    """A bar a step. Away from a terminal a line when a step begins, or one at each of so many `parts` of it.

    `about` says what each step does; of one that is not there its name does.
    """
    if not console.is_terminal:
        yield _lines(console, about, parts)
        return
    columns = (TextColumn("{task.description:40}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(about.get(step, step), total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


def _lines(console: Console, about: Mapping[str, str], parts: int) -> Tell:
    told: dict[str, int] = {}

    def tell(step: str, done: float) -> None:
        part = int(done * parts)
        if part > told.get(step, -1):
            told[step] = part
            how_far = f": {part * 100 // parts} %" if parts else " ..."
            console.print(f"{about.get(step, step)}{how_far}", markup=False, highlight=False)

    return tell
