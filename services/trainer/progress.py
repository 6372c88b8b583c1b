"""A training's progress for a person at a terminal."""

from contextlib import AbstractContextManager

from rich.console import Console

from services.runtime.steps import Tell, steps

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


def shown(console: Console) -> AbstractContextManager[Tell]:
    """What models.train takes as `progress`: a bar a step on a terminal, a line a step anywhere else."""
    return steps(console, ABOUT)
