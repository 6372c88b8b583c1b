"""How the listeners behave whatever they like: how often, at what hours, how faithful, how impatient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.settings import DAY_TURNS_AT, CrowdSettings

# When people listen: centre and width in hours UTC. Way to work, at work, evening, night.
PEAKS = ((8.0, 1.2), (13.5, 3.0), (20.0, 2.2), (0.5, 1.8))
PEAK_CONCENTRATION = (1.0, 1.3, 1.6, 0.4)
WEEKEND_LATER = 1.5  # hours
WEEKEND_MORE = 1.15


@dataclass(frozen=True)
class Habits:
    """One row a listener; they do not change."""

    sessions: NDArray[np.float64]  # (L,) mean a day
    hours: NDArray[np.float64]  # (2, L, 24) running shares of the hours from the turn of the day; weekday, weekend
    repeats: NDArray[np.float64]  # (L,) chance that a play goes back to something known
    impatience: NDArray[np.float64]  # (L,) added to the log-odds of a skip


def make_habits(settings: CrowdSettings, rng: np.random.Generator) -> Habits:
    """Habits that differ as people do: few listen a lot, most a little."""
    n = settings.listeners
    spread = 0.7
    sessions = settings.sessions_a_day * rng.lognormal(-(spread**2) / 2, spread, n)
    peaks = rng.dirichlet(PEAK_CONCENTRATION, n)
    share = settings.repeat_share
    sure = 18.0  # the sum of the Beta's parameters: a standard deviation of about 0.11 over the listeners
    spread_out = rng.beta(sure * share, sure * (1 - share), n) if 0 < share < 1 else np.full(n, share)
    return Habits(
        sessions=sessions,
        hours=np.stack([_hours(peaks, 0.0), _hours(peaks, WEEKEND_LATER)]),
        repeats=spread_out,
        impatience=0.5 * rng.standard_normal(n),
    )


def _hours(peaks: NDArray[np.float64], later: float) -> NDArray[np.float64]:
    """Running shares of 24 hours, the first beginning when the day turns. (L, 24)."""
    hour = np.arange(24) + 0.5 + DAY_TURNS_AT
    density = np.full((len(peaks), 24), 0.002)
    for i, (centre, width) in enumerate(PEAKS):
        away = (hour - centre - later + 12) % 24 - 12
        density += peaks[:, i : i + 1] * np.exp(-0.5 * (away / width) ** 2) / width
    reach = np.cumsum(density, axis=1)
    return np.asarray(reach / reach[:, -1:])
