"""A contestant in a process of its own: TensorFlow and torch bring an LLVM each, and whichever loads second aborts."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from models.lyrics.record.corpus import Corpus
from models.lyrics.record.run import Lap, Limits, Make, Timed, time_warm


class Died(Exception):
    """The process ended before the contestant was done."""


def time_apart(
    make: Make, warming: Corpus, corpus: Corpus, limits: Limits, progress: Callable[[Lap], None] = lambda _lap: None
) -> Timed:
    """As time_warm, in a new process. `make`: a module's function, or a partial of one. Raises Died."""
    context = get_context("spawn")
    told, telling = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(telling, make, warming, corpus, limits), daemon=True)
    child.start()
    telling.close()  # else its end would never be seen here
    try:
        while isinstance(said := told.recv(), Lap):
            progress(said)
        done: Timed = said
        return done
    except EOFError:
        child.join()
        raise Died(f"its process ended with code {child.exitcode}") from None
    finally:
        told.close()
        child.kill()
        child.join()


def _run(telling: "Connection[Any, Any]", make: Make, warming: Corpus, corpus: Corpus, limits: Limits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the other one ends this one
    telling.send(time_warm(make, warming, corpus, limits, telling.send))
