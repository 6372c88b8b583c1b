"""Loops over a listener's plays and candidates, compiled to machine code by Numba.

A list costs some thirty passes over columns of a few hundred numbers. In numpy each pass is several calls, and a call
costs more than the work in it; compiled, a pass is one call (docs/decisions/0008-compiled-loops.md). What is compiled
is kept in NUMBA_CACHE_DIR, or in the user's cache, so only the first process on a machine waits for it.
"""

import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec, TypeVar

from numba import config, njit

P = ParamSpec("P")
R = TypeVar("R")


def _folder() -> Path:
    """Where compiled code is kept: a folder for each state of the sources.

    Numba compiles anew what has changed, but looks only at the file of a function: not at the constants and functions
    of other files that were compiled into it.
    """
    sources = Path(__file__).parent
    told = blake2b(digest_size=8)
    for path in sorted(sources.rglob("*.py")):
        told.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return Path(os.environ.get("NUMBA_CACHE_DIR") or Path.home() / ".cache" / "segue" / "compiled") / told.hexdigest()


config.CACHE_DIR = str(_folder())


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code; it keeps the interpreter's lock, as giving that back costs more than most of them.

    Globals that it reads are frozen when it is compiled, and an index out of bounds is not noticed.
    """
    made: Callable[P, R] = njit(cache=True, error_model="numpy")(function)
    return made
