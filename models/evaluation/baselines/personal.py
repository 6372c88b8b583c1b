"""What a listener plays anyway: their own tracks, up to the very moment."""

import numpy as np

from models.evaluation.log import Log, Numbers
from models.evaluation.protocol import DAY
from models.evaluation.systems import Asked, best


class Personal:
    """The listener's own tracks by plays, each counting less as it ages; without a half-life all count alike."""

    def __init__(self, log: Log, half_life_days: float | None) -> None:
        self._log = log
        self._half_life = None if half_life_days is None else half_life_days * DAY

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        return [
            self._of(asked, at, user, moment)
            for at, (user, moment) in enumerate(zip(asked.users.tolist(), asked.moments.tolist(), strict=True))
        ]

    def _of(self, asked: Asked, at: int, user: int, moment: int) -> Numbers:
        span = self._log.before(user, moment)
        played = self._log.played[span]
        items, ages = self._log.items[span][played], moment - self._log.seconds[span][played]
        own, place = np.unique(items, return_inverse=True)
        # Without a half-life the newer of two equals goes first: 10,000 years of one take nothing from a whole play.
        half_life = self._half_life or 3_650_000.0 * DAY
        return best(own, np.bincount(place, np.exp2(-ages / half_life), len(own)).astype(np.float64), asked, at)
