"""Lessons for a ranker: what retrieval would have proposed at past moments, and what was played after them.

Everything is as a scorer has it: a release of what came before, profiles folded to the moment, all of the sources.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from models.folding import Folding
from models.interactions import COLUMNS, positive_plays
from models.profile import ProfileView
from models.ranker.fit import Lesson, sampled
from models.ranker.settings import RankerSettings
from models.recommender import Recommender
from models.taste import DAY, TasteSettings

WEEK_S = 7 * DAY
OFTENEST = 3  # lessons of a week that begin in one week, each overlapping with the next
OF_A_WEEK = 5  # times as many candidates that were not played as beside one answer: many are right
LENGTH = {"for-you": 100, "up-next": 50}  # of the lists that candidates are proposed for


class Lessons(NamedTuple):
    """By mix. `whole`: lessons of the held-out listeners, with every candidate; of their weeks none overlap."""

    taught: dict[str, list[Lesson]]
    whole: dict[str, list[Lesson]]


def lessons(
    recommender: Recommender,
    listens: pl.DataFrame,
    cut: int,
    taste: TasteSettings,
    settings: RankerSettings,
    progress: Callable[[float], None],
) -> Lessons:
    """Of a recommender fitted on the listens before `cut` (s). `listens`: models.interactions.distinct, all of them."""
    rng = np.random.default_rng(settings.seed)
    chosen = _listeners(listens, cut, settings, rng)
    most = -(-settings.guesses // max(1, len(chosen)))
    apart = _apart(listens, cut, len(chosen), settings.weeks)
    made = Lessons({mix: [] for mix in LENGTH}, {mix: [] for mix in LENGTH})
    rows = recommender.release.catalogue.row_of
    frames = listens.filter(pl.col("user_id").is_in(chosen)).partition_by("user_id", maintain_order=True)
    for number, frame in enumerate(frames):
        held_out, judged_until = number % round(1 / settings.held_out) == 0, 0
        for mix, second, moment, answers in _questions(frame, cut, taste, apart, most, rng):
            view = moment()
            if view is None:
                continue
            [(merged, features)] = recommender.described([view], LENGTH[mix])
            counts = Counter(rows.get(track, -1) for track in answers)
            plays = np.array([counts[row] for row in merged.rows.tolist()], np.float32)
            lesson = Lesson(number, features, plays, np.ones(len(plays), np.float32), merged.fused)
            if held_out and (mix != "for-you" or second >= judged_until):
                made.whole[mix].append(lesson)
                judged_until = second + WEEK_S if mix == "for-you" else judged_until
            made.taught[mix].append(sampled(lesson, settings.rest * (OF_A_WEEK if mix == "for-you" else 1), rng))
        progress((number + 1) / len(frames))
    return made


def _listeners(listens: pl.DataFrame, cut: int, settings: RankerSettings, rng: np.random.Generator) -> list[str]:
    """Who listened both before and after, at most so many, drawn at random."""
    before = listens.filter(pl.col("listened_at") < cut * 1000)["user_id"].unique()
    after = listens.filter(pl.col("listened_at") >= cut * 1000)["user_id"].unique()
    both = sorted(set(before.to_list()) & set(after.to_list()))
    return [both[at] for at in np.sort(rng.permutation(len(both))[: settings.listeners]).tolist()]


def _apart(listens: pl.DataFrame, cut: int, listeners: int, weeks: int) -> int:
    """Seconds from one lesson of a week to the next: a week, or less where listeners are so few that lessons would be.

    Weeks that overlap say the same twice, but 30 listeners teach more by them (docs/evaluation.md).
    """
    span = int(listens["listened_at"].max() or 0) // 1000 - cut  # type: ignore[arg-type]  # of a column of integers
    return WEEK_S // min(OFTENEST, max(1, weeks * WEEK_S // max(1, span * listeners)))


Question = tuple[str, int, Callable[[], ProfileView | None], list[str]]


def _questions(
    frame: pl.DataFrame, cut: int, taste: TasteSettings, apart: int, most: int, rng: np.random.Generator
) -> Iterator[Question]:
    """(mix, when, the profile then, what was played) of one listener, in the order of their time."""
    frame = frame.sort("listened_at", maintain_order=True)
    plays = positive_plays(frame, taste).filter(pl.col("second") >= cut)
    seconds, tracks = plays["second"].to_numpy(), plays["track_id"].to_list()
    end = int(frame["listened_at"].max() or 0) // 1000  # type: ignore[arg-type]  # of a column of integers
    asked: list[tuple[int, str, list[str]]] = []
    for week in range(cut, max(cut + 1, end - WEEK_S + 2), apart):
        first, last = np.searchsorted(seconds, [week, week + WEEK_S]).tolist()
        asked.append((week, "for-you", tracks[first:last]))
    drawn = rng.permutation(len(tracks))[:most].tolist()
    asked += [(int(seconds[at]), "up-next", [tracks[at]]) for at in drawn]
    ids = pl.format("row:{}", pl.int_range(pl.len()))  # every row is folded, whatever its id
    folding = Folding(frame.with_columns(event_id=ids).select(list(COLUMNS)), taste)
    times = frame["listened_at"].to_numpy()

    def before(second: int) -> ProfileView | None:
        folding.to(int(np.searchsorted(times, second * 1000)))
        return None if folding.data is None else ProfileView(folding.data)

    for second, mix, answers in sorted(asked, key=lambda each: each[:2]):
        yield mix, second, partial(before, second), answers
