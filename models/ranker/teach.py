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
DEPTH = 100
JUDGED_BY = {"for-you": "ndcg@100", "up-next": "mrr"}
FEW = 20  # held-out lessons, below which nothing can be said
_FIGURES = ("mrr", "hr@20", "ndcg@100")
WEIGHT = NAMES.index("weight_14d")


def teach(
    lessons: Lessons, settings: RankerSettings, progress: Callable[[float], None]
) -> tuple[dict[str, Blend], dict[str, dict[str, float]]]:
    """The rankers worth having, by mix, and what was measured of each mix ("ranker_" + mix).

    A ranker is shipped when, on held-out listeners, it beats the fusion of the sources and the listener's own decayed
    plays by what its mix is for; it is then taught once more on everybody.
    """
    rankers, metrics = {}, {}
    for done, (mix, taught) in enumerate(lessons.taught.items()):
        held = lessons.whole[mix]
        others = {lesson.listener for lesson in held}
        one = mix == "up-next"
        trial = fit([lesson for lesson in taught if lesson.listener not in others], settings, one)
        progress((done + 0.5) / len(lessons.taught))
        measured = _measure(held, trial)
        by = JUDGED_BY[mix]
        better = len(held) >= FEW and measured[by] > max(measured[f"fusion_{by}"], measured[f"decayed_{by}"])
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
    found = {"recall": _mean([float(lesson.played.any()) for lesson in held]), **dict.fromkeys(_FIGURES, 0.0)}
    for name, scores in columns.items():
        figures = [_figures(scores(lesson), lesson.played) for lesson in held]
        for figure, values in zip(_FIGURES, zip(*figures, strict=True), strict=False):
            found[name + figure] = _mean(values)
    return found


def _figures(scores: NDArray[np.floating], played: NDArray[np.bool_]) -> tuple[float, float, float]:
    """MRR, HR@20 and NDCG@100 of a lesson; of candidates that score the same the wrong ones go first."""
    if not played.any():
        return 0.0, 0.0, 0.0
    ranks = np.flatnonzero(played[np.lexsort((played, -scores))])
    gains = 1.0 / np.log2(np.arange(DEPTH) + 2.0)
    ideal = gains[: min(DEPTH, len(ranks))].sum()
    return 1.0 / (ranks[0] + 1.0), float(ranks[0] < TOP), float(gains[ranks[ranks < DEPTH]].sum() / ideal)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
