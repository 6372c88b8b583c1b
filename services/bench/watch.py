"""What each step of a piece of work took: seconds, processor seconds, and the most memory it held."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

from msgspec import Struct

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Cost(Struct, frozen=True):
    """Of one step."""

    seconds: float
    cpu_seconds: float  # of all threads
    peak_mb: float  # resident, what was there before it included


class Watch:
    """Costs by the name of the step. Linux only: the kernel keeps the peak, and forgets it when it is asked to."""

    def __init__(self, told: Callable[[str, Cost | None], None] = lambda _step, _cost: None) -> None:
        """`told` hears of a step when it begins, and of its cost when it is done."""
        self.costs: dict[str, Cost] = {}
        self._told = told
        self._begun: dict[str, tuple[float, float]] = {}

    def begin(self, step: str) -> None:
        """A step begins; steps are not nested."""
        self._told(step, None)
        CLEAR.write_text("5", encoding="ascii")  # the peak is from now on what is resident now
        self._begun[step] = perf_counter(), process_time()

    def end(self, step: str) -> None:
        """The step is done."""
        begun, cpu = self._begun.pop(step)
        self.costs[step] = Cost(round(perf_counter() - begun, 2), round(process_time() - cpu, 2), round(peak_mb(), 1))
        self._told(step, self.costs[step])

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """From beginning to end."""
        self.begin(name)
        yield
        self.end(name)

    def told(self, step: str, done: float) -> None:
        """As models.train tells its progress."""
        if done == 0.0:
            self.begin(step)
        elif done == 1.0 and step in self._begun:
            self.end(step)


def peak_mb() -> float:
    """The most that was resident since the beginning of the process, or since a Watch began a step."""
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
