"""A rehearsal: what a release fitted on the past would have been worth in the time held out, beside everything else.

Bounded, as it runs beside the services: of the history at most MOST_LISTENS, those of listeners drawn at random, and
lists are made for some of them only.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec import Struct

from models import gate, heldout
from models.evaluation.contenders import baselines
from models.evaluation.judging import Verdicts
from models.evaluation.log import Log
from models.evaluation.panel import Panel, Question
from models.evaluation.protocol import MEASURED, MIN_RELEVANT, Next, Weekly, Window, guesses, weekly
from models.evaluation.replay import Replay
from models.evaluation.result import Evaluation
from models.evaluation.systems import SERVED, Lists, Served, System, tracks_of
from models.release import Release
from models.taste import TasteSettings
from schemas.release import Gate

MOST_LISTENS = 5_000_000
LEVEL = 0.1  # of the held-out listens: with fewer that only it knows, a rehearsed release knows as much as the other
TOLD = ("ndcg@10", f"ndcg@{MEASURED}", f"recall@{MEASURED}", "rep_ndcg@100", "exp_ndcg@100", "unseen_ndcg@100")
TOLD_NEXT = (gate.NEXT, "mrr@20")


class CheckSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a release's worth is measured before it is made: fit on the past, ask for what came after."""

    days: float = 7.0  # the last so many days are held out …
    share: float = 0.05  # … but never more than this share of the listens
    listeners: int = 500  # drawn at random; 0: no held-out check
    guesses: int = 500  # of their plays, drawn at random, for the lists of the next track; 0: none
    least: int = 20  # judged listeners: with fewer only not worse than the one in service
    tolerance: float = 0.0  # of NDCG@100, in the mean, below the one in service; models.gate says when
    seed: int = 42


class Rehearsed(NamedTuple):
    """The figures, system -> metric -> mean, and what they decide."""

    metrics: dict[str, dict[str, float]]
    gate: Gate


class Held(NamedTuple):
    """Where held-out time begins (ms), and how the release in service stands to what is fitted on the time before."""

    cut: int
    standing: gate.Standing


def hold(listens: pl.DataFrame, service: Release | None, check: CheckSettings) -> Held | None:
    """What to hold out; None when there is no past or nothing after it.

    The last `days`. Where the release in service has seen part of them, only what came after what it has seen, if
    enough listeners can be judged on that.
    """
    cut = heldout.cut(listens, check.days, check.share)
    if not listens.filter(pl.col("listened_at") < cut).height:
        return None
    if service is None:
        return Held(cut, "none")
    seen, time = _seen(service), pl.col("listened_at")
    if seen < cut:
        more, asked = listens.select(((time > seen) & (time < cut)).sum(), held=(time >= cut).sum()).row(0)
        return Held(cut, "level" if more < LEVEL * asked else "behind")
    after = listens.filter((pl.col("listened_at") > seen) & (pl.col("kind") == "play"))
    enough = after.group_by("user_id").agg(pl.col("track_id").n_unique()).filter(pl.col("track_id") >= MIN_RELEVANT)
    return Held(seen + 1, "level") if enough.height >= check.least else Held(cut, "seen")


def _seen(service: Release) -> int:
    """The time of the newest listen that a release was fitted on; of one that does not say, when it was made."""
    return int(service.manifest.settings.get("history", {}).get("until", service.manifest.created_at))


def judge(
    listens: pl.DataFrame,
    made: Release,
    service: Release | None,
    held: Held,
    check: CheckSettings,
    lists: Lists,
    taste: TasteSettings,
    progress: Callable[[float], None] = lambda _: None,
) -> Rehearsed:
    """Judge `made`, fitted on the listens before the cut. `listens`: all of them, as from interactions.distinct."""
    log = Log(_bounded(listens, check.seed))
    start = -(-held.cut // 1000)
    week = _drawn(weekly(log, Window(start, log.newest + 1)), check)
    systems: dict[str, System] = {SERVED: Served(made, tracks_of(log, made), lists)}
    if service is not None and held.standing != "seen":
        systems[gate.IN_SERVICE] = Served(service, tracks_of(log, service), lists)
    systems |= baselines(log, made, start, taste.half_life_days, check.seed)
    progress(0.1)
    following = _guessed(log, week, check)
    found = _asked(log, week, following, systems, taste, lambda done: progress(0.1 + 0.9 * done))
    ahead, ahead_next = ({name: columns[metric] for name, columns in found.differences.items()}
                         for metric in (gate.METRIC, gate.NEXT))  # fmt: skip
    asked_next = len(following.users) > 0
    verdict = gate.decide(
        ahead, ahead_next if asked_next else {}, len(week.asked), check.least, check.tolerance, held.standing
    )
    progress(1.0)
    if not len(week.asked):
        return Rehearsed({}, verdict)
    told = (*TOLD, *(TOLD_NEXT if asked_next else ()))
    metrics = {name: {metric: columns[metric].mean for metric in told} for name, columns in found.figures.items()}
    return Rehearsed({name: {**of, "listeners": float(len(week.asked))} for name, of in metrics.items()}, verdict)


def _bounded(listens: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The listens of all listeners, or of as many drawn at random as MOST_LISTENS allows."""
    if listens.height <= MOST_LISTENS:
        return listens
    counts = listens.group_by("user_id").len().sort("user_id").sample(fraction=1.0, shuffle=True, seed=seed)
    kept = counts.filter(pl.col("len").cum_sum() <= MOST_LISTENS)["user_id"]
    return listens.filter(pl.col("user_id").is_in(kept.implode()))


def _drawn(week: Weekly, check: CheckSettings) -> Weekly:
    """Only listeners who can be judged and have a past, at most so many."""
    both = np.intersect1d(week.asked, week.judged)
    chosen = np.sort(np.random.default_rng(check.seed).permutation(both)[: check.listeners])
    rows = np.isin(week.users, chosen)
    return Weekly(week.window, chosen, week.users[rows], week.items[rows])


def _guessed(log: Log, week: Weekly, check: CheckSettings) -> Next:
    """Plays of these listeners to guess, by time."""
    found = guesses(log, week.window, 1.0, check.seed)
    found = found.where(np.isin(found.users, week.asked))
    drawn = np.random.default_rng(check.seed).permutation(len(found.users))[: check.guesses]
    return found.where(np.sort(drawn))


def _asked(
    log: Log,
    week: Weekly,
    following: Next,
    systems: dict[str, System],
    taste: TasteSettings,
    progress: Callable[[float], None],
) -> Evaluation:
    verdicts = Verdicts(log, following, ())
    verdicts.begin(week, list(systems))
    panel = Panel(log, "weekly", systems, verdicts.of_week)
    next_panel = Panel(log, "next", systems, verdicts.of_guess)
    replay, start = Replay(log, taste), week.window.start
    for done, user in enumerate(week.asked.tolist()):
        keys = np.flatnonzero(following.users == user).tolist()
        moments = [int(following.moments[key]) for key in keys]
        profile, *profiles = replay.at(user, [start, *moments], start)
        panel.ask(Question(user, start, profile, -1))
        for key, moment, then in zip(keys, moments, profiles, strict=True):
            next_panel.ask(Question(user, moment, then, key))
        progress(done / len(week.asked))
    panel.end()
    next_panel.end()
    verdicts.end()
    return verdicts.evaluation([start], {})
