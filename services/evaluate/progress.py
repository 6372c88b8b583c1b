"""An evaluation's progress for a person at a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.fitted import Progress as Tell

ABOUT = {
    "log": "Ordering the log",
    "fit": "Fitting on what came before each week",
    "ask": "Folding profiles, asking, judging",
    "tune": "Trying settings",
}
QUARTERS = 4


@contextmanager
def shown(console: Console) -> Iterator[Tell]:
    """What models.evaluation.run takes as `progress`: a bar a step on a terminal, a line a quarter anywhere else."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description:40}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(ABOUT.get(step, step), total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


def _lines(console: Console) -> Tell:
    told: dict[str, int] = {}

    def tell(step: str, done: float) -> None:
        quarter = int(done * QUARTERS)
        if quarter > told.get(step, -1):
            told[step] = quarter
            console.print(f"{ABOUT.get(step, step)}: {quarter * 100 // QUARTERS} %", markup=False, highlight=False)

    return tell
