"""The steps of a training: what is being done, and how long each took."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from models.fitted import Progress


class Steps:
    """Tells what is being done, and how long each step took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def part(self, step: str, done: float) -> None:
        """A step is so far (0 to 1)."""
        now = perf_counter()
        if done == 0.0:
            self._begun[step] = now
        self.seconds[step] = round(now - self._begun.setdefault(step, now), 3)
        self._progress(step, done)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time a step from beginning to end."""
        self.part(step, 0.0)
        yield
        self.part(step, 1.0)
