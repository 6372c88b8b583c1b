"""What a comparison found: means over splits with intervals, and how far each model is from EASE."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import t as student

from models.counts.judge import COVERAGE, RANKED, Judged
from models.evaluation.bootstrap import Bootstrap, Figure

NAMES = (*RANKED, COVERAGE)
RIVAL = "ease"
LEVEL = 0.975


class Outcome(NamedTuple):
    """One model on one split."""

    judged: Judged
    settings: dict[str, Any] | None
    trials: Sequence[float]  # what each was worth while tuning
    seconds: tuple[float, float, float]  # tuning, the last fit, judging


class Over(Struct, frozen=True, array_like=True):
    """A mean over splits and its 95 % interval by Student's t; without one (None) where there is only one split."""

    mean: float
    low: float | None
    high: float | None


class Counted(Struct, frozen=True):
    """What was compared on."""

    listeners: int
    items: int
    pairs: int
    judged: int  # listeners, in each split
    held_out: list[int]  # pairs, of each split


class Comparison(Struct, frozen=True):
    """Figures by model and metric; `differences` are paired, model minus EASE, and none without EASE.

    `differences` says how sure a difference is over other splits of the same listeners, `listeners` (NDCG and the
    like, but not coverage) over other listeners: a bootstrap that redraws them with all their splits.
    """

    counts: Counted
    plan: dict[str, Any]
    figures: dict[str, dict[str, Over]]
    differences: dict[str, dict[str, Over]]
    listeners: dict[str, dict[str, Figure]]
    by_split: dict[str, dict[str, list[float]]]
    settings: dict[str, list[dict[str, Any] | None]]  # of each split
    trials: dict[str, list[list[float]]]
    seconds: dict[str, dict[str, float]]  # tuning, fit, judge: all splits together
    skipped: dict[str, str]  # model -> why


def compared(
    found: Mapping[str, Sequence[Outcome]], counted: Counted, plan: dict[str, Any], skipped: dict[str, str]
) -> Comparison:
    """The figures of every model's outcomes, one a split, in the order of the splits."""
    tables = {name: np.array([_means(outcome.judged) for outcome in made]) for name, made in found.items()}
    others = [name for name in found if RIVAL in found and name != RIVAL]
    return Comparison(
        counted,
        plan,
        {name: _over(table) for name, table in tables.items()},
        {name: _over(tables[name] - tables[RIVAL]) for name in others},
        {name: _by_listener(found[name], found[RIVAL]) for name in others},
        {name: dict(zip(NAMES, table.T.tolist(), strict=True)) for name, table in tables.items()},
        {name: [outcome.settings for outcome in made] for name, made in found.items()},
        {name: [list(outcome.trials) for outcome in made] for name, made in found.items()},
        {name: _seconds(made) for name, made in found.items()},
        skipped,
    )


def over(values: NDArray[np.float64]) -> Over:
    """The mean of one figure of each split."""
    mean, size = float(values.mean()), len(values)
    if size < 2:
        return Over(mean, None, None)
    half = float(student.ppf(LEVEL, size - 1) * values.std(ddof=1) / np.sqrt(size))
    return Over(mean, mean - half, mean + half)


def _means(judged: Judged) -> list[float]:
    return [*judged.values.mean(axis=0).tolist(), judged.coverage]


def _over(table: NDArray[np.float64]) -> dict[str, Over]:
    return {name: over(column) for name, column in zip(NAMES, table.T, strict=True)}


def _by_listener(model: Sequence[Outcome], rival: Sequence[Outcome]) -> dict[str, Figure]:
    drawn = Bootstrap(np.concatenate([outcome.judged.users for outcome in model]))
    apart = np.concatenate([
        one.judged.values - other.judged.values for one, other in zip(model, rival, strict=True)
    ])  # fmt: skip
    return {name: drawn.figure(apart[:, at]) for at, name in enumerate(RANKED)}


def _seconds(made: Sequence[Outcome]) -> dict[str, float]:
    return dict(
        zip(("tuning", "fit", "judge"), np.sum([outcome.seconds for outcome in made], axis=0).tolist(), strict=True)
    )
