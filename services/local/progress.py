"""Tells a person that something slow goes on, if it really is slow."""

import threading
from types import TracebackType
from typing import Self

import rich.progress
from rich.console import Console

PATIENCE_S = 2.0


class Progress:
    """A step with `total` parts. After two seconds a bar on a terminal, one plain line anywhere else."""

    def __init__(self, what: str, total: int | None = None, console: Console | None = None) -> None:
        self._what = what
        self._console = console or Console(stderr=True)
        self._bar = rich.progress.Progress(
            rich.progress.SpinnerColumn(),
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(what, total=total)
        self._timer = threading.Timer(PATIENCE_S, self._show)
        self._timer.daemon = True
        self._shown = threading.Lock()

    def advance(self) -> None:
        """One more part is done; any thread may say so."""
        self._bar.advance(self._task)

    def _show(self) -> None:
        with self._shown:
            if self._timer.finished.is_set():  # the step ended while the timer went off
                return
            if self._console.is_terminal:
                self._bar.start()
            else:
                self._console.print(f"{self._what} ...", markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._shown:
            if self._bar.live.is_started:  # stopping an unstarted bar prints an empty line
                self._bar.stop()
