"""Work that another thread does while this one goes on."""

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

R = TypeVar("R")


class Meanwhile(Generic[R]):
    """A call that is under way. It is worth a thread, 0.1 ms, where it lets go of the interpreter, as FAISS does."""

    def __init__(self, call: Callable[[], R]) -> None:
        self._call = call
        self._found: list[R] = []
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._call())
        except Exception as error:  # noqa: BLE001  # it is raised again where it is heard
            self._error = error

    def result(self) -> R:
        """Wait for what it returns; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]
