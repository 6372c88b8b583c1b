"""An evaluation as one JSON object."""

from typing import Any

import msgspec

from models.evaluation.result import Evaluation
from models.evaluation.settings import Settings


def document(found: Evaluation, settings: Settings) -> dict[str, Any]:
    """{system: {metric: value}, …} and, beside the systems, `intervals`, `differences`, `sources` and `about`.

    `intervals` has [low, high, rows], `differences` (served minus that system, paired) [mean, low, high, rows], and so
    has `sources` (system, source, share of the places and of the hits; rows: lists that have any).
    """
    intervals = {
        system: {metric: [figure.low, figure.high, figure.n] for metric, figure in columns.items()}
        for system, columns in found.figures.items()
    }
    return {
        **{system: found.values(system) for system in found.figures},
        "intervals": intervals,
        "differences": msgspec.to_builtins(found.differences),
        "sources": msgspec.to_builtins(found.sources),
        "about": {
            **msgspec.to_builtins(found.counts),
            "seconds": found.seconds,
            "settings": msgspec.to_builtins(settings),
        },
    }
