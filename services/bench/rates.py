"""How fast a loop goes through a log that is there, watched from outside; and loops that do nothing with it."""

import os
import time
from collections.abc import Callable, Sequence
from sys import executable

from msgspec import Struct
from msgspec.structs import replace

from services.bench.system import System
from services.local.process import Child
from services.runtime.errors import Fatal

LOOK_S = 0.05
LIMIT_S = 1_200.0


class Rate(Struct, frozen=True):
    """One loop."""

    listens_per_second: float
    listens: int  # counted: without those that were through when it was first looked at
    seconds: float
    ratio: float | None = None  # ours / the loop that does nothing, where both ran


def bare_rate(system: System, name: str, messages: int, topics: Sequence[str]) -> Rate:
    """A loop of services.bench.bare that only counts the messages of some topics; it writes how far it is into a file.

    Raises Fatal when it ends by itself, or before there was a clock to stop.
    """
    count, log = system.folder / f"{name}.count", system.folder / f"{name}.log"
    count.write_text("0 0 0", encoding="ascii")
    child = Child(
        [executable, "-m", "services.bench.bare", name, count, *topics],
        log=log, cwd=system.folder, env={**os.environ, **system.servers}, remove=system.folder,
    )  # fmt: skip

    def check() -> None:
        if child.poll() is not None:
            raise Fatal(f"{name} ended by itself; the end of its log:\n{child.tail()}")

    try:
        watched(lambda: int(count.read_text(encoding="ascii").split()[0]), messages, check)
        seen, first, seconds = map(float, count.read_text(encoding="ascii").split())
        return rate_of(int(seen - first), seconds)
    finally:
        child.terminate()
        if child.wait(10) is None:
            child.kill()


def watched(done: Callable[[], int], whole: int, check: Callable[[], None]) -> tuple[int, float]:
    """How many came from the first look that shows something to the first that shows all, and in what time (s).

    Raises Fatal where that takes LIMIT_S, and whatever `check` raises.
    """
    limit = time.perf_counter() + LIMIT_S
    first: tuple[float, int] | None = None
    while True:
        now, count = time.perf_counter(), done()
        if first is None and count:
            first = now, count
        if count >= whole and first is not None:
            return whole - first[1], now - first[0]
        check()
        if now > limit:
            raise Fatal(f"only {count:,} of {whole:,} are through after {LIMIT_S:.0f} s")
        time.sleep(LOOK_S)


def beside(ours: Rate, reference: Rate) -> Rate:
    """Ours, with its ratio to the reference."""
    return replace(ours, ratio=round(ours.listens_per_second / reference.listens_per_second, 3))


def rate_of(listens: int, seconds: float) -> Rate:
    """Raises Fatal where all were through at the first look."""
    if not listens:
        raise Fatal("all listens were through before there was a clock to stop: send more of them (--listens)")
    return Rate(round(listens / seconds, 1), listens, round(seconds, 3))
