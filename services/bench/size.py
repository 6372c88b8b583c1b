"""What a training of a large history costs, step by step, with ALS beside `implicit` alone.

The training is the trainer's own, `models.train.train`, in a process of its own; `implicit` alone is fitted on the same
matrix in another one.
"""

import tempfile
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from models.train import TrainSettings
from services.bench.past import Size, write
from services.bench.watch import Cost, Watch
from services.runtime.errors import Fatal

Told = Callable[[str], None]
DONE, REFUSED = "done", "refused"


class SizeBench(Struct, frozen=True):
    """See `segue bench size --help`. `files`: a log to train on instead of a made-up one."""

    size: Size = Size()
    files: tuple[Path, ...] = ()
    check: bool = False  # with the rehearsal and the rankers, as the trainer does
    rivals: bool = True  # time implicit alone


class Pace(Struct, frozen=True):
    """ALS, a pass over listeners and tracks; the first, which begins with what is only made once, left out."""

    seconds: float
    cpu_seconds: float


class Found(Struct, frozen=True):
    """What was measured. `steps`: step -> cost, in order."""

    listens: int
    listeners: int
    tracks: int  # in the catalogue
    pairs: int  # of listener and track, that ALS is fitted on; 0: not counted
    neighbour_pairs: int  # kept, of all tracks
    steps: dict[str, Cost]
    peak_mb: float
    als: Pace | None
    implicit_alone: Pace | None
    release_mb: float


def measure(options: SizeBench, settings: TrainSettings, told: Told) -> Found:
    """Make the past, train on it, fit implicit alone. Raises Fatal when a process ended before it was through."""
    if not options.check:
        settings = replace(
            settings, check=replace(settings.check, listeners=0), ranker=replace(settings.ranker, listeners=0)
        )
    with tempfile.TemporaryDirectory(prefix="segue-size-") as name:
        folder = Path(name)
        files, made = options.files, None
        if not files:
            told(f"making {options.size.listens:,} listens")
            made = tuple(_apart(write, (folder, options.size), told))
        found: Found = _apart(_train, (made, files, folder / "release", settings), told)
        if not options.rivals:
            return found
        pairs, pace = _apart(_alone, (made, files, settings), told)
    return replace(found, pairs=pairs, implicit_alone=pace)


def _apart(work: Callable[..., Any], arguments: tuple[Any, ...], told: Told) -> Any:
    """What `work` gives, called in a process of its own, so that its memory is its own; its last argument tells.

    Raises Fatal: the process' own, or one that says how far it was when it ended.
    """
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(work, arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    said = "it began"
    try:
        while True:
            what, value = mine.recv()
            if what == DONE:
                process.join()
                return value
            if what == REFUSED:
                raise Fatal(value)
            said = str(value)
            told(said)
    except EOFError:
        process.join()
        raise Fatal(
            f"the process that was measured ended with {process.exitcode} after it said: {said}"
            + ("; is there memory enough?" if process.exitcode == -9 else "")
        ) from None
    finally:
        process.kill()
        process.join()


def _child(work: Callable[..., Any], arguments: tuple[Any, ...], to: Connection) -> None:
    try:
        to.send((DONE, work(*arguments, lambda text: to.send(("told", text)))))
    except Fatal as error:  # as of a file that is not there: to be raised where this was called, without a traceback
        to.send((REFUSED, str(error)))


def _train(made: Sequence[Path] | None, files: Sequence[Path], out: Path, settings: TrainSettings, told: Told) -> Found:
    from models.neighbours.table import PAIR, Table
    from models.release import NEIGHBOURS, read_manifest
    from models.train import train

    watch, passes = Watch(lambda step, cost: told(_said(step, cost))), Passes()

    def progress(step: str, done: float) -> None:
        if step == "als":
            passes.told(done)
        watch.told(step, done)

    with watch.step("load"):
        listens, tracks = _loaded(made, files)
    folder = train(listens, tracks, out.parent, settings, release_id=out.name, now_ms=0, window={}, progress=progress)
    manifest = read_manifest(folder)
    sizes = {name: file.bytes for name, file in manifest.files.items()}
    return Found(
        listens=manifest.listens,
        listeners=manifest.listeners,
        tracks=manifest.tracks,
        pairs=0,
        neighbour_pairs=sizes[Table.files(NEIGHBOURS)[0]] // PAIR.itemsize,
        steps=watch.costs,
        peak_mb=max(cost.peak_mb for cost in watch.costs.values()),
        als=passes.pace(),
        implicit_alone=None,
        release_mb=round(sum(sizes.values()) / 1e6, 1),
    )


def _said(step: str, cost: Cost | None) -> str:
    if cost is None:
        return f"{step} ..."
    return f"{step}: {cost.seconds:,.1f} s, {cost.cpu_seconds:,.1f} s of the processor, {cost.peak_mb:,.0f} MB"


def _alone(
    made: Sequence[Path] | None, files: Sequence[Path], settings: TrainSettings, told: Told
) -> tuple[int, Pace | None]:
    """`implicit` as its own documentation uses it, on the same matrix, for as many passes."""
    import os

    import numpy as np
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    from models.als.settings import confidence
    from models.fitted import weigh
    from models.interactions import distinct

    told("implicit alone ...")
    listens, tracks = _loaded(made, files)
    als = settings.als
    weighed = weigh(distinct(listens), tracks, settings.taste, als, lambda _step, _done: None)
    pairs = weighed.pairs.filter(weighed.pairs["row"] < weighed.items)
    columns = confidence(pairs["weight"].to_numpy(), als.alpha), (pairs["user"].to_numpy(), pairs["row"].to_numpy())
    matrix = csr_matrix(columns, shape=(len(weighed.users), weighed.items), dtype=np.float32)
    del listens, weighed, pairs, columns
    passes = Passes()
    with threadpool_limits(1, "blas"):  # as it asks for itself
        model = AlternatingLeastSquares(
            factors=als.factors, regularization=als.regularization, alpha=1.0, iterations=als.iterations,
            num_threads=settings.threads or os.cpu_count() or 1, random_state=als.seed,
        )  # fmt: skip
        model.fit(matrix, show_progress=False, callback=lambda done, *_: passes.told((done + 1) / als.iterations))
    return matrix.nnz, passes.pace()


class Passes:
    """When each pass of ALS ended."""

    def __init__(self) -> None:
        self._ends: dict[float, tuple[float, float]] = {}

    def told(self, done: float) -> None:
        """So much of all passes is done; 0 is no end of one, and the last is told twice."""
        if done:
            self._ends.setdefault(done, (perf_counter(), process_time()))

    def pace(self) -> Pace | None:
        """None where there was one pass at most."""
        ends = list(self._ends.values())
        if len(ends) < 2:
            return None
        (begun, cpu), (ended, cpu_ended) = ends[0], ends[-1]
        passes = len(ends) - 1
        return Pace(round((ended - begun) / passes, 4), round((cpu_ended - cpu) / passes, 4))


def _loaded(made: Sequence[Path] | None, files: Sequence[Path]) -> tuple[Any, Any]:
    """Listens and tracks, as the trainer's process reads its segments, or as `segue train` reads files."""
    from services.importer.loading import load
    from services.trainer.columns import TRACKS
    from services.trainer.history import read

    if made is None:
        frames = load(list(files))
        return frames.listens, frames.tracks
    import polars as pl

    from models.interactions import COLUMNS

    return read(list(made), COLUMNS), pl.DataFrame(schema=TRACKS).drop("gone")
