"""Bytes of a profile against how good a list it gives: profiles under ever tighter bounds, on a log of one's own.

A list is made of what only the profile says, the listener's own past: their weights, what they played last, what
followed in their own sequences, fused as the scorer fuses them where no ranker was taught. What a release adds is the
same whatever the bounds, so this is where bounds cost most. Judged as `segue evaluate` judges weeks.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.catalogue import COLUMNS, Catalogue
from models.evaluation.log import Log
from models.evaluation.metrics import ndcg
from models.evaluation.protocol import MEASURED, Protocol, weekly, windows
from models.evaluation.replay import Replay
from models.neighbours.table import Table
from models.profile import ProfileView
from models.ranker.merge import merge
from models.recommender import VOTES
from models.sources.base import Batch, Candidates, Rows, no_reasons
from models.sources.history import History
from models.sources.reading import Reader
from models.sources.recent import Recent
from models.sources.sequence import OwnSequence
from models.sources.settings import ListSettings
from models.sources.shelf import Shelf
from models.sources.signalled import best
from models.sources.signals import Signals
from models.taste import TasteSettings

NO_BOUND = 2**22
QUOTA = 4 * MEASURED
# tracks, artists, latest plays, plays of the past; event ids stay, for no list is made of them, nor of artists' weights
BOUNDS = {
    "unbounded": (NO_BOUND, 0, 256, NO_BOUND),
    "default": (),
    "500 tracks, 1,024 plays": (500, 0, 1_024, 0),
    "500 tracks, 512 plays": (500, 0, 512, 0),
    "200 tracks, 512 plays": (200, 0, 512, 0),
    "200 tracks, 384 plays": (200, 0, 384, 0),
    "50 tracks, 384 plays": (50, 0, 384, 0),
    "50 tracks, 100 plays": (50, 0, 100, 0),
    "25 tracks, 50 plays": (25, 0, 50, 0),
}

Told = Callable[[str], None]


class Point(Struct, frozen=True):
    """One set of bounds."""

    bounds: str
    bytes: float  # of a profile, on average over the listeners asked
    ndcg_100: float
    lost: float  # of the unbounded one's NDCG@100, as a share


def curve(log: Log, told: Told, weeks: int = 2) -> list[Point]:
    """One point a set of BOUNDS, the unbounded first, over the last weeks of a log."""
    shelf = Shelf(Catalogue(_frame(log.tracks)))
    found: list[Point] = []
    for name, bounds in BOUNDS.items():
        told(f"profiles under other bounds: {name}")
        names = ("max_tracks", "max_artists", "max_recent", "max_past")
        # What was met is noted in as many bytes whatever the bounds, and says nothing of what is heard again.
        taste = replace(TasteSettings(note_met=False), **dict(zip(names, bounds, strict=False)))
        size, quality = _judged(log, shelf, taste, weeks)
        lost = 1 - quality / found[0].ndcg_100 if found and found[0].ndcg_100 else 0.0
        found.append(Point(name, round(size, 1), round(quality, 5), round(lost, 4)))
    return found


def _judged(log: Log, shelf: Shelf, taste: TasteSettings, weeks: int) -> tuple[float, float]:
    """(mean bytes, mean NDCG@100) over listeners and weeks."""
    replay = Replay(log, taste)
    spans = [weekly(log, window) for window in windows(log, Protocol(weeks=weeks))]
    sizes, scores = [], []
    for week in spans:
        judged = np.intersect1d(week.asked, week.judged).tolist()
        start = week.window.start
        kept = [(user, replay.at(user, [start], start)[0]) for user in judged]
        known = [(user, data) for user, data in kept if data is not None]
        lists = ranked(shelf, [ProfileView(data) for _, data in known], taste)
        for (user, data), rows in zip(known, lists, strict=True):
            wanted = week.wanted(user)
            sizes.append(len(data))
            scores.append(ndcg(np.isin(rows, wanted), len(wanted), MEASURED))
    return float(np.mean(sizes)) if sizes else 0.0, float(np.mean(scores)) if scores else 0.0


def ranked(shelf: Shelf, views: Sequence[ProfileView], taste: TasteSettings) -> list[Rows]:
    """The best rows for each profile by its own past alone, MEASURED at most."""
    listeners = Reader(shelf, ListSettings(), taste.half_life_days).read(views)
    nothing = Table(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    signals = [Signals(listener, nothing, nothing, shelf.scratch) for listener in listeners]
    batch = Batch(shelf, listeners, np.zeros((len(listeners), 0), np.float32), signals)
    sequences = [Candidates(rows, no_reasons) for rows in best(batch, lambda each: each.own[0], QUOTA)]
    votes = [VOTES["for-you"][name] for name in (History.name, Recent.name, OwnSequence.name)]
    proposals = list(zip(History().candidates(batch, QUOTA), Recent().candidates(batch, QUOTA), sequences, strict=True))
    merged = merge(proposals, votes, shelf.scratch)
    return [each.rows[np.lexsort((each.rows, -each.fused))][:MEASURED] for each in merged]


def _frame(tracks: list[str]) -> pl.DataFrame:
    """A catalogue of which only the ids count: row r is track r of the log."""
    nothing: NDArray[np.int64] = np.zeros(len(tracks), np.int64)
    columns = {name: [None] * len(tracks) for name in ("release", "year", "duration_ms", "genre")}
    counts = dict.fromkeys(("popularity", "listeners", "plays", "skips", "recent_listeners"), nothing)
    named = {"track_id": tracks, "title": tracks, "artist": [""] * len(tracks)}
    return pl.DataFrame({**named, **columns, **counts}, schema_overrides=COLUMNS).select(list(COLUMNS))
