"""A ranker that a release brings: whatever scores features, and the files that it may be in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.ranker.blend import Blend
from models.ranker.features import Features
from models.ranker.merge import Merged
from models.ranker.serve import NetworkScorer
from models.sources.base import Batch

BLEND, NETWORK = "npz", "onnx"


class Scores(Protocol):
    """Says how good candidates are by their features."""

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """One score a row of (candidates, len(NAMES)); higher is better."""
        ...


class TaughtRanker:
    """Ranks a release's candidates by what was learned."""

    def __init__(self, features: Features, taught: Scores) -> None:
        self._features, self._taught = features, taught

    def scores(self, batch: Batch, at: int, merged: Merged) -> NDArray[np.float32]:
        """See Ranker."""
        if not len(merged.rows):
            return np.empty(0, np.float32)
        return self._taught.scores(self._features.of(batch, at, merged.rows))


def ranker_file(mix: str, kind: str) -> str:
    """The name of the file with the ranker of a mix."""
    return f"ranker_{mix}.{kind}"


def load_ranker(folder: Path, mix: str, files: Iterable[str]) -> Scores | None:
    """The ranker of a mix among a release's files; None: it brings none. Raises ValueError."""
    there = set(files)
    if (name := ranker_file(mix, NETWORK)) in there:
        return NetworkScorer.load(folder / name)
    if (name := ranker_file(mix, BLEND)) in there:
        return Blend.load(folder / name)
    return None
