"""Searching settings: a seeded search that first looks everywhere, then near the best.

The first half are Halton points, which fill a space more evenly than chance does; of the second half each moves the
best so far a little. It takes no other library, and the same seed gives the same trials.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import qmc

STEP = 0.12  # of a range, the usual move in the second half
KEEP = 0.75  # how often a choice stays as it is there

Settings = dict[str, Any]


class Range(NamedTuple):
    """From `low` to `high`, both possible; evenly by logarithm where `log` says so, whole numbers where `whole`."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, place: float) -> float | int:
        """The value at `place` in [0, 1)."""
        if self.log:
            value = float(self.low * (self.high / self.low) ** place)
        else:
            value = self.low + (self.high - self.low) * place
        return round(value) if self.whole else value

    def near(self, place: float, rng: np.random.Generator) -> float:
        """Another place, mostly not far away."""
        return float(np.clip(place + rng.normal(0.0, STEP), 0.0, 1.0))


class Choice(NamedTuple):
    """One of some."""

    options: tuple[Any, ...]

    def at(self, place: float) -> Any:
        """The option at `place` in [0, 1]."""
        return self.options[min(int(place * len(self.options)), len(self.options) - 1)]

    def near(self, place: float, rng: np.random.Generator) -> float:
        """The same place, or any."""
        return place if rng.random() < KEEP else float(rng.random())


Space = Mapping[str, Range | Choice]


class Trial(Struct, frozen=True):
    """Settings, and what they were worth: more is better."""

    settings: Settings
    value: float


def search(space: Space, worth: Callable[[Settings], float], trials: int, seed: int) -> Iterator[Trial]:
    """So many trials, one after the other."""
    rng = np.random.default_rng(seed)
    broad = qmc.Halton(len(space), rng=rng).random(-(-trials // 2))
    best, best_value = np.full(len(space), 0.5), -np.inf
    for number in range(trials):
        places = broad[number] if number < len(broad) else _moved(space, best, rng)
        settings = {name: part.at(float(place)) for (name, part), place in zip(space.items(), places, strict=True)}
        value = worth(settings)
        if value > best_value:
            best, best_value = places, value
        yield Trial(settings, value)


def _moved(space: Space, places: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.array([part.near(float(place), rng) for part, place in zip(space.values(), places, strict=True)])
