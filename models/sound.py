"""The step of a training that listens: adds to a release what its tracks sound like. The rest goes on without it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from models.audio.settings import AudioSettings
from models.fitted import Fitted

if TYPE_CHECKING:
    from models.audio.build import Listened

log = logging.getLogger(__name__)

Metrics = dict[str, dict[str, float]]


def there_is(tracks: pl.DataFrame) -> bool:
    """Whether any track has a recording."""
    return "audio" in tracks.columns and tracks["audio"].null_count() < tracks.height


def add(
    made: Fitted,
    tracks: pl.DataFrame,
    aside: Path,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None],
) -> Metrics:
    """Write models.audio.part.FILES, and those of models.pair.serve where pairs are known; what was measured.

    Where torch or what decodes recordings is not installed, that is logged and nothing is written.
    """
    try:
        from models.audio.build import build

        if not settings.networks:
            import torch  # noqa: F401  # absent, nothing is begun
    except ImportError as error:
        log.warning("the release is made without sounds: %s; install segue[neural,audio]", error)
        return {}
    ids = made.catalogue["track_id"].to_list()
    measured, listened = build(ids, tracks, aside, settings, threads, lambda done: progress(max(0.9 * done, 0.001)))
    metrics: Metrics = {"audio": measured}
    if listened.heard and not settings.networks:
        metrics["pair"] = _pairs(made, listened, aside, settings, threads, lambda done: progress(0.9 + 0.1 * done))
    return metrics


def _pairs(
    made: Fitted,
    listened: "Listened",
    aside: Path,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None],
) -> dict[str, float]:
    from models.audio.part import VECTORS
    from models.audio.settings import MelSettings
    from models.pair import build
    from models.pair.fit import NoPairs

    artists = made.catalogue["artist"].to_list()
    vectors = np.load(aside / VECTORS, allow_pickle=False)
    try:
        difference = build.build(
            listened.heard, listened.labels, [artists[row] for row in listened.rows], listened.rows, vectors,
            made.neighbours, aside, MelSettings(), Path(settings.cache) if settings.cache else None, threads or 1,
            progress,
        )  # fmt: skip
    except NoPairs as error:
        log.info("no pair network: %s", error)
        return {}
    return {"difference": difference}
