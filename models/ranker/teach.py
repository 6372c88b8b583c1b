"""Teaching rankers and deciding whether they are worth having, on listeners that they have not learned from."""

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker import fit as blends
from models.ranker.features import NAMES
from models.ranker.fit import Lesson
from models.ranker.lessons import Lessons
from models.ranker.serve import NetworkScorer
from models.ranker.settings import RankerSettings
from models.ranker.taught import BLEND, NETWORK, Scores, ranker_file

TOP = 20
DEPTH = 100
JUDGED_BY = {"for-you": "ndcg@100", "up-next": "mrr"}
ONE_ANSWER = "up-next"  # whose lessons have one
MANY = 1_000  # lessons, from which on the blend is not tried where there is a network: it was never better, and slower
FEW = 20  # held-out lessons, below which nothing can be said
_FIGURES = ("mrr", "hr@20", "ndcg@100")
# What each source goes by alone, as far as a column says it, and the dot product: a ranker must beat the best of these.
INPUTS = {
    "decayed": "weight_14d",
    "history": "weight",
    "sequence": "own",
    "around": "around",
    "sessions": "alike",
    "next": "next",
    "transitions": "then",
    "neighbours": "near",
    "taste": "taste",
    "artists": "artist_weight",
    "popular": "listeners",
    "trending": "trend",
    "dot": "dot",
}
BACK = NAMES.index("back")  # `recent`: what was heard last comes first

log = logging.getLogger(__name__)


class Shipped(NamedTuple):
    """A ranker that is worth having, and how it is written."""

    ranker: Scores
    kind: str  # of its file
    write: Callable[[Path], object]

    def save(self, folder: Path, mix: str) -> None:
        """Into a release's folder."""
        self.write(folder / ranker_file(mix, self.kind))


Fit = Callable[[Sequence[Lesson], str], Shipped | None]


def teach(
    lessons: Lessons, settings: RankerSettings, progress: Callable[[float], None]
) -> tuple[dict[str, Shipped], dict[str, dict[str, float]]]:
    """The rankers worth having, by mix, and what was measured of each mix ("ranker_" + mix).

    A blend, and a network where torch is installed (that alone where lessons are many), learn from some listeners and
    are judged on the others, by what the mix is for. The better one is shipped when it beats every one of its inputs:
    the fusion of the sources, each source alone, the dot product; it is then taught once more on everybody.
    """
    rankers, metrics = {}, {}
    ways = _ways(settings)
    for done, (mix, taught) in enumerate(lessons.taught.items()):
        held = lessons.whole[mix]
        others = {lesson.listener for lesson in held}
        some = [lesson for lesson in taught if lesson.listener not in others]
        tried = {NETWORK: ways[NETWORK]} if NETWORK in ways and len(some) >= MANY else ways
        trials = {kind: trial for kind, fit in tried.items() if (trial := fit(some, mix)) is not None}
        if not trials:  # the network could not be exported
            trials = {BLEND: trial} if (trial := ways[BLEND](some, mix)) is not None else {}
        progress((done + 0.5) / len(lessons.taught))
        measured = _measure(held, {kind: trial.ranker for kind, trial in trials.items()})
        best = _best(measured, JUDGED_BY[mix], list(trials)) if len(held) >= FEW else None
        final = ways[best](taught, mix) if best else None
        if final is not None and best is not None:
            rankers[mix] = final
            measured |= {figure: measured[f"{best}_{figure}"] for figure in _FIGURES}
        metrics[f"ranker_{mix}"] = {
            **measured,
            "lessons": float(len(taught)),
            "shipped": float(final is not None),
            "network": float(best == NETWORK),
        }
        progress((done + 1.0) / len(lessons.taught))
    return rankers, metrics


def _ways(settings: RankerSettings) -> dict[str, Fit]:
    """How a ranker can be fitted here, by the kind of its file."""
    ways: dict[str, Fit] = {BLEND: lambda lessons, mix: _blend(lessons, mix, settings)}
    if not settings.network_epochs:
        return ways
    if find_spec("torch") is None or find_spec("onnx") is None:
        log.warning("no neural ranker is taught: torch and onnx are not installed (pip install 'segue[neural]')")
        return ways
    return {**ways, NETWORK: lambda lessons, mix: _network(lessons, mix, settings)}


def _blend(lessons: Sequence[Lesson], mix: str, settings: RankerSettings) -> Shipped | None:
    made = blends.fit(lessons, settings, mix == ONE_ANSWER)
    return None if made is None else Shipped(made, BLEND, made.save)


def _network(lessons: Sequence[Lesson], mix: str, settings: RankerSettings) -> Shipped | None:
    from models.ranker.export import NotEqual, export  # with torch
    from models.ranker.fit_network import fit_network

    made = fit_network(lessons, settings, mix == ONE_ANSWER)
    if made is None:
        return None
    try:
        data = export(made, lessons[0].features)
    except NotEqual as error:
        log.warning("no neural ranker: %s", error)
        return None
    return Shipped(NetworkScorer(data), NETWORK, lambda path: path.write_bytes(data))


def _best(measured: Mapping[str, float], by: str, kinds: Sequence[str]) -> str | None:
    """The kind that does best, if it beats what needs no teaching."""
    best = max(kinds, key=lambda kind: measured[f"{kind}_{by}"], default=None)
    beaten = max(measured[f"{name}_{by}"] for name in ("fusion", "recent", *INPUTS))
    return best if best is not None and measured[f"{best}_{by}"] > beaten else None


def _measure(held: Sequence[Lesson], rankers: Mapping[str, Scores]) -> dict[str, float]:
    columns: dict[str, Callable[[Lesson], NDArray[np.floating]]] = {
        "fusion_": lambda lesson: lesson.fused,
        "recent_": lambda lesson: -lesson.features[:, BACK],
    }
    for name, feature in INPUTS.items():
        columns[f"{name}_"] = lambda lesson, feature=feature: lesson.features[:, NAMES.index(feature)]  # type: ignore[misc]  # binds the loop's value
    for kind, ranker in rankers.items():
        columns[f"{kind}_"] = lambda lesson, ranker=ranker: ranker.scores(lesson.features)  # type: ignore[misc]  # binds the loop's value
    found = {"recall": _mean([float(lesson.played.any()) for lesson in held])}
    for name, scores in columns.items():
        figures = [_figures(scores(lesson), lesson.played) for lesson in held]
        found |= {name + figure: 0.0 for figure in _FIGURES}
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
