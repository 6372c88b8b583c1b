"""Tells a person how far a long import is: a bar on a terminal, a line every few seconds elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import rich.progress
from rich.console import Console

LINE_S = 5.0


class Meter:
    """One step at a time, each with its count and rate."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn("{task.fields[text]}"),
            rich.progress.TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self.what = ""
        self._total: int | None = None
        self._done = 0
        self._task: rich.progress.TaskID | None = None
        self._began = self._told = clock()

    def begin(self, what: str, total: int | None) -> None:
        """A new step of `total` things (None: nobody knows)."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self.what, self._total, self._done = what, total, 0
        self._began = self._told = self._clock()
        self._task = self._bar.add_task(what, total=total, text="")

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.at(self._done + count)

    def at(self, done: int) -> None:
        """So many are done by now."""
        self._done = done
        now = self._clock()
        of = "" if self._total is None else f" of {self._total:,}"
        text = f"{done:,}{of} ({done / max(now - self._began, 1e-3):,.0f}/s)"
        if self._console.is_terminal:
            if self._task is not None:
                self._bar.update(self._task, completed=done, text=text)
        elif now - self._told >= LINE_S:
            self._told = now
            self._console.print(f"{self.what}: {text}", markup=False, highlight=False, soft_wrap=True)

    def refresh(self) -> None:
        """Draw the bar now rather than at its next tenth of a second."""
        self._bar.refresh()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()
