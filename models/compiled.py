"""Loops over a listener's plays and candidates, compiled to machine code by Numba.

A list costs some thirty passes over columns of a few hundred numbers. In numpy each pass is several calls, and a call
costs more than the work in it; compiled, a pass is one call (docs/decisions/0008-compiled-loops.md). What is compiled
is kept beside the source, or in NUMBA_CACHE_DIR, so only the first process on a machine waits for it.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, without the interpreter's lock while it runs.

    Globals that it reads are frozen when it is compiled, and an index out of bounds is not noticed.
    """
    made: Callable[P, R] = njit(cache=True, nogil=True, error_model="numpy")(function)
    return made
