"""A training's progress for a person at a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from models.fitted import Progress as Tell

ABOUT = {
    "read": "Reading the listens",
    "check": "Measuring on held-out listens",
    "weigh": "Weighing who likes what",
    "catalogue": "Ordering the catalogue",
    "als": "Fitting ALS",
    "neighbours": "Finding what is played together",
    "ranker": "Teaching the rankers",
    "repeat": "Telling what is played again",
    "index": "Building and checking the index",
    "lyrics": "Learning from the lyrics",
    "audio": "Hearing the tracks",
    "bridge": "Placing what nobody has played",
    "profiles": "Folding the profiles",
}


@contextmanager
def shown(console: Console) -> Iterator[Tell]:
    """What models.train takes as `progress`: a bar a step on a terminal, a line a step anywhere else."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description:32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(ABOUT.get(step, step), total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


def _lines(console: Console) -> Tell:
    begun: set[str] = set()

    def tell(step: str, _done: float) -> None:
        if step not in begun:
            begun.add(step)
            console.print(f"{ABOUT.get(step, step)} ...", markup=False, highlight=False)

    return tell
