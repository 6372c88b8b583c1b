"""An evaluation as one JSON object."""

from collections.abc import Callable
from typing import Any

import msgspec

from models.evaluation.bootstrap import Figure
from models.evaluation.result import Evaluation
from models.evaluation.settings import Settings

Told = list[float | None]


def document(found: Evaluation, settings: Settings) -> dict[str, Any]:
    """{system: {metric: value}, …} and, beside the systems, `intervals`, `differences`, `sources` and `about`.

    `intervals` has [low, high, rows], `differences` (served minus that system, paired) [mean, low, high, rows], and so
    has `sources` (system, source, share of the places and of the hits; rows: lists that have any). What was measured
    on no row is null: a 0 would say that it is bad.
    """
    return {
        **{system: _values(found, system) for system in found.figures},
        "intervals": {system: _each(columns, _interval) for system, columns in found.figures.items()},
        "differences": {system: _each(columns, _whole) for system, columns in found.differences.items()},
        "sources": {
            system: {source: _each(columns, _whole) for source, columns in sources.items()}
            for system, sources in found.sources.items()
        },
        "about": {
            **msgspec.to_builtins(found.counts),
            "seconds": found.seconds,
            "settings": msgspec.to_builtins(settings),
        },
    }


def _values(found: Evaluation, system: str) -> dict[str, float | None]:
    unmeasured = {metric for metric, figure in found.figures[system].items() if not figure.n}
    return {metric: None if metric in unmeasured else value for metric, value in found.values(system).items()}


def _each(columns: dict[str, Figure], told: Callable[[Figure], Told]) -> dict[str, Told]:
    return {metric: told(figure) for metric, figure in columns.items()}


def _interval(figure: Figure) -> Told:
    return [figure.low, figure.high, figure.n] if figure.n else [None, None, 0]


def _whole(figure: Figure) -> Told:
    return [figure.mean if figure.n else None, *_interval(figure)]
