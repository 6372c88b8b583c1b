"""What settings of ALS are worth: fitted on what came before each held-out week, asked for what was played in it.

Full ranking over every track there is, the listener's own among them, as the lists of models.evaluation are judged; a
track without factors stands behind all others.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.counts.judge import RANKED, of_list
from models.evaluation.log import Log
from models.evaluation.metrics import ndcg
from models.evaluation.protocol import MEASURED, Protocol, Window, prove, weekly, windows
from models.fitted import Weighed, weigh
from models.taste import TasteSettings

BATCH = 64  # listeners whose scores over all tracks are in memory at once
AUC = RANKED.index("auc")


class Worth(Struct, frozen=True):
    """Means over listener-weeks."""

    ndcg: float  # @100
    auc: float  # full: the share of (played, not played) pairs of tracks in the right order


class Question(Struct, frozen=True):
    """One held-out week: what came before it, and who played what in it."""

    before: pl.DataFrame
    tracks: pl.DataFrame  # those met by then
    wanted: dict[str, list[str]]


class Bench:
    """A log made ready for many trials. Raises NothingToJudge, ValueError."""

    def __init__(
        self, listens: pl.DataFrame, tracks: pl.DataFrame, protocol: Protocol, listeners: int, seed: int
    ) -> None:
        """`listens` and `tracks` as for models.train.train; at most `listeners` a week are asked, drawn at random."""
        log = Log(listens)
        prove(log, protocol)
        distinct = tracks.unique("track_id", keep="last", maintain_order=True)
        rng = np.random.default_rng(seed)
        self.questions = [_question(log, distinct, window, listeners, rng) for window in windows(log, protocol)]
        self._weighed: tuple[tuple[TasteSettings, int, int], list[Weighed]] | None = None

    @property
    def listener_weeks(self) -> int:
        """How many lists each trial is judged by."""
        return sum(len(question.wanted) for question in self.questions)

    def worth(
        self, taste: TasteSettings, als: AlsSettings, threads: int, progress: Callable[[float], None] = lambda _: None
    ) -> Worth:
        """Fit and judge. Raises FitFailed."""
        values: list[tuple[float, float]] = []
        for at, (question, weighed) in enumerate(zip(self.questions, self._ready(taste, als), strict=True)):
            factors, used = weighed.factors(als, threads, lambda *_: None)
            progress((at + 0.5) / len(self.questions))
            values += _judged(question, weighed, FoldIn(factors, factors.T @ factors, used), factors)
            progress((at + 1) / len(self.questions))
        ndcg_, auc = np.mean(values, axis=0).tolist()
        return Worth(ndcg_, auc)

    def _ready(self, taste: TasteSettings, als: AlsSettings) -> list[Weighed]:
        """Who likes what before each week: the same for all trials of one half-life."""
        key = (taste, als.min_listeners, als.max_items)
        if self._weighed is None or self._weighed[0] != key:
            made = [weigh(question.before, question.tracks, taste, als, lambda *_: None) for question in self.questions]
            self._weighed = (key, made)
        return self._weighed[1]


def _question(log: Log, tracks: pl.DataFrame, window: Window, most: int, rng: np.random.Generator) -> Question:
    week = weekly(log, window)
    both = np.intersect1d(week.asked, week.judged)
    chosen = np.sort(rng.permutation(both)[:most]).tolist()
    before = log.events.filter(pl.col("listened_at") < window.start * 1000)
    met = tracks.join(before.select("track_id").unique(), on="track_id", how="semi", maintain_order="left")
    wanted = {log.names[user]: [log.tracks[item] for item in week.wanted(user)] for user in chosen}
    return Question(before, met, wanted)


def _judged(
    question: Question, weighed: Weighed, fold: FoldIn, factors: NDArray[np.float32]
) -> list[tuple[float, float]]:
    """(NDCG@100, AUC) of every listener of a week."""
    rows = {track: row for row, track in enumerate(weighed.ranked["track_id"].to_list())}
    numbers = {user: number for number, user in enumerate(weighed.users)}
    own = _by_user(weighed.pairs, len(weighed.users))
    asked = list(question.wanted.items())
    found = []
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        vectors = fold.vectors([own(numbers[user]) if user in numbers else own(-1) for user, _ in batch])
        for (_, wanted), vector in zip(batch, vectors, strict=True):
            places, unknown = _places(wanted, rows)
            scores = np.full(len(rows) + unknown, -np.inf, dtype=np.float32)
            if vector.any():
                scores[: len(factors)] = factors @ vector
            found.append((_ndcg(scores, places), float(of_list(scores, places, len(scores))[AUC])))
    return found


def _ndcg(scores: NDArray[np.float32], wanted: NDArray[np.int64]) -> float:
    """Of a list of the first tracks that have a score at all."""
    usable = np.flatnonzero(scores > -np.inf)
    if len(usable) > MEASURED:
        usable = usable[np.argpartition(-scores[usable], MEASURED - 1)[:MEASURED]]
    ranked = usable[np.argsort(-scores[usable], kind="stable")]
    return ndcg(np.isin(ranked, wanted), len(wanted), MEASURED)


def _places(wanted: list[str], rows: dict[str, int]) -> tuple[NDArray[np.int64], int]:
    """Where the wanted tracks stand, rising; those that the catalogue does not know stand behind it, and how many."""
    known = sorted(rows[track] for track in wanted if track in rows)
    unknown = len(wanted) - len(known)
    return np.array([*known, *range(len(rows), len(rows) + unknown)], dtype=np.int64), unknown


def _by_user(pairs: pl.DataFrame, users: int) -> Callable[[int], tuple[NDArray[np.int64], NDArray[np.float64]]]:
    rows, weights = pairs["row"].to_numpy(), pairs["weight"].to_numpy()
    starts = np.searchsorted(pairs["user"].to_numpy(), np.arange(users + 1))

    def of(user: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        span = slice(starts[user], starts[user + 1]) if user >= 0 else slice(0, 0)
        return rows[span], weights[span]

    return of


def with_half_life(taste: TasteSettings, days: float) -> TasteSettings:
    """The same table of what counts, fading as fast as that."""
    return replace(taste, half_life_days=days)
