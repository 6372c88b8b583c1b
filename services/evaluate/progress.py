"""An evaluation's progress for a person at a terminal."""

from contextlib import AbstractContextManager

from rich.console import Console

from services.runtime.steps import Tell, steps

ABOUT = {
    "log": "Ordering the log",
    "fit": "Fitting on what came before each week",
    "ask": "Folding profiles, asking, judging",
    "tune": "Trying settings",
}
QUARTERS = 4


def shown(console: Console) -> AbstractContextManager[Tell]:
    """What models.evaluation.run takes as `progress`: a bar a step on a terminal, a line a quarter anywhere else."""
    return steps(console, ABOUT, QUARTERS)
