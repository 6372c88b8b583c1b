"""An evaluation as one JSON object."""

from typing import Any

import msgspec

from models.evaluation.result import Evaluation
from models.evaluation.settings import Settings


def document(found: Evaluation, settings: Settings) -> dict[str, Any]:
    """{system: {metric: value}, …} and, beside the systems, `intervals`, `differences` and `about`.

    `intervals` has [low, high, rows] and `differences` (served minus that system, paired) [mean, low, high, rows].
    """
    intervals = {
        system: {metric: [figure.low, figure.high, figure.n] for metric, figure in columns.items()}
        for system, columns in found.figures.items()
    }
    return {
        **{system: found.values(system) for system in found.figures},
        "intervals": intervals,
        "differences": msgspec.to_builtins(found.differences),
        "about": {
            **msgspec.to_builtins(found.counts),
            "seconds": found.seconds,
            "settings": msgspec.to_builtins(settings),
        },
    }
