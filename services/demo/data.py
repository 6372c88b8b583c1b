"""What the demo plays: a history to import, its catalogue, and the listens that follow live."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from msgspec import Struct

from schemas.events import Listen
from services.demo.options import DemoOptions
from services.importer import tables
from services.importer.loading import load
from services.importer.report import Report
from services.importer.rows import Options
from services.runtime.errors import Fatal
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.frames import listens_frame, tracks_frame
from services.simulator.settings import CrowdSettings

SPARE = 1.3  # live listens held ready, as a share of those that the rate asks for
UNTIL_STOPPED = 20_000  # of a real log, when the live part has no end
LARGEST_LIVE_SHARE = 0.5


class Data(Struct):
    """A history and what comes after it."""

    listens: pl.DataFrame  # columns of Listen, in order of time
    tracks: pl.DataFrame  # columns of Track
    live: Iterator[Listen]
    bad: int  # lines that were no listens


Progress = Callable[[str], None]


def make_data(options: DemoOptions, progress: Progress) -> Data:
    """The simulated crowd's, or that of the files. Raises Fatal when there is too little of it."""
    return _real(options, progress) if options.listens else _simulated(options, progress)


def _real(options: DemoOptions, progress: Progress) -> Data:
    progress(f"reading {', '.join(file.name for file in options.listens)}")
    report = Report()
    reading = Options(now_ms=time.time_ns() // 1_000_000, user=options.user)
    frames = load(options.listens, options=reading, report=report)
    if frames.listens.height < 2:
        raise Fatal(
            "the files hold no listens to play; `segue import FORMAT FILE --check` says what is wrong with them"
        )
    wanted = UNTIL_STOPPED if options.live_s is None else int(options.live_s * options.rate * SPARE) + 1
    kept = min(wanted, int(frames.listens.height * LARGEST_LIVE_SHARE))
    history, rest = frames.listens.head(-kept), frames.listens.tail(kept)
    live = (Listen(**{k: v for k, v in row.items() if v is not None}) for row in rest.iter_rows(named=True))
    return Data(history, frames.tracks, live, report.bad)


def _simulated(options: DemoOptions, progress: Progress) -> Data:
    progress(f"imagining {options.listeners:,} listeners and {options.days} days of theirs")
    settings = CrowdSettings(listeners=options.listeners)
    crowd = make_crowd(settings, np.random.default_rng(options.seed))
    listens, tracks = lived(crowd, options.days)
    return Data(listens, tracks, crowd.live(), 0)


def lived(crowd: Crowd, days: int, on_day: Callable[[int], None] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let the crowd live through so many days: the listens, and the tracks that are out after them, to import."""
    history = crowd.history(days, on_day)
    # The simulator's frames have only the columns that it fills.
    listens = pl.concat([tables.listens_frame(), listens_frame(history)], how="diagonal")
    tracks = pl.concat([tables.tracks_frame(), tracks_frame(crowd.tracks())], how="diagonal")
    return listens, tracks
