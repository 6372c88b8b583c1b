"""ALS alone: every track with factors by the product with the listener's folded-in vector, known ones among them."""

import numpy as np

from models.als.serve import FoldIn, Weighted, taste_weights
from models.evaluation.log import Numbers
from models.evaluation.systems import Asked, best
from models.profile import ProfileView
from models.release import Release


class AlsAlone:
    """The release's own factors and fold-in, without any other stage."""

    def __init__(self, release: Release, tracks: Numbers) -> None:
        """`tracks[row]` is the log's number of the release's track `row`."""
        self._release = release
        self._fold_in = FoldIn.of(release)
        self._half_life = float(release.setting("taste", "half_life_days"))
        self._tracks = tracks[: len(release.factors)]

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        vectors = self._fold_in.vectors([self._weighted(view) for view in asked.views])
        scores = vectors @ self._release.factors.T  # (questions, tracks)
        scores[~vectors.any(axis=1)] = -np.inf
        return [best(self._tracks, scores[at], asked, at) for at in range(len(asked.users))]

    def _weighted(self, view: ProfileView | None) -> Weighted:
        if view is None:
            return np.empty(0, dtype=np.int64), np.empty(0)
        return self._release.catalogue.rows_of_short(view.tracks), taste_weights(view, self._half_life)
