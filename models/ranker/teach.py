"""Teaching rankers and deciding whether they are worth having, on listeners that they have not learned from."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.ranker.blend import Blend
from models.ranker.features import NAMES
from models.ranker.fit import Lesson, fit
from models.ranker.lessons import Lessons
from models.ranker.settings import RankerSettings

TOP = 20
FEW = 20  # held-out lessons, below which nothing can be said
WEIGHT = NAMES.index("weight_14d")


def teach(
    lessons: Lessons, settings: RankerSettings, progress: Callable[[float], None]
) -> tuple[dict[str, Blend], dict[str, dict[str, float]]]:
    """The rankers worth having, by mix, and what was measured of each mix ("ranker_" + mix).

    A ranker is shipped when, on held-out listeners, it beats the fusion of the sources and the listener's own decayed
    plays; it is then taught once more on everybody. `mrr`: mean over lessons of 1/rank of the first right candidate.
    """
    rankers, metrics = {}, {}
    for done, (mix, taught) in enumerate(lessons.taught.items()):
        held = lessons.whole[mix]
        others = {lesson.listener for lesson in held}
        one = mix == "up-next"
        trial = fit([lesson for lesson in taught if lesson.listener not in others], settings, one)
        progress((done + 0.5) / len(lessons.taught))
        measured = _measure(held, trial)
        better = len(held) >= FEW and measured["mrr"] > max(measured["fusion_mrr"], measured["decayed_mrr"])
        final = fit(taught, settings, one) if better else None
        if final is not None:
            rankers[mix] = final
        metrics[f"ranker_{mix}"] = {**measured, "lessons": float(len(taught)), "shipped": float(final is not None)}
        progress((done + 1.0) / len(lessons.taught))
    return rankers, metrics


def _measure(held: Sequence[Lesson], ranker: Blend | None) -> dict[str, float]:
    columns: dict[str, Callable[[Lesson], NDArray[np.floating]]] = {
        "fusion_": lambda lesson: lesson.fused,
        "decayed_": lambda lesson: lesson.features[:, WEIGHT],
    }
    if ranker is not None:
        columns[""] = lambda lesson: ranker.scores(lesson.features)
    found = {"recall": _mean([float(lesson.played.any()) for lesson in held]), "mrr": 0.0, "hr@20": 0.0}
    for name, scores in columns.items():
        ranks = [_rank(scores(lesson), lesson.played) for lesson in held]
        found[f"{name}mrr"] = _mean([1.0 / rank if rank else 0.0 for rank in ranks])
        found[f"{name}hr@20"] = _mean([float(0 < rank <= TOP) for rank in ranks])
    return found


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _rank(scores: NDArray[np.floating], played: NDArray[np.bool_]) -> int:
    """The place of the first right candidate, those that score the same before it; 0: there is none."""
    return int((scores >= scores[played].max()).sum()) if played.any() else 0
