import numpy as np
import pytest

from models.counts.tuning import Choice, Range, Settings, Space, search

SPACE: Space = {
    "x": Range(0.0, 1.0), "y": Range(1.0, 1_000.0, log=True), "n": Range(1, 9, whole=True), "kind": Choice(("a", "b")),
}  # fmt: skip


def worth(settings: Settings) -> float:
    """Best at x = 0.3, y = 30, kind b."""
    miss = abs(settings["x"] - 0.3) + abs(np.log10(settings["y"]) - np.log10(30.0)) + (settings["kind"] == "a")
    return -float(miss)


def test_values_stay_within_their_ranges() -> None:
    made = [trial.settings for trial in search(SPACE, worth, 60, 1)]
    assert len(made) == 60
    assert all(0 <= one["x"] <= 1 and 1 <= one["y"] <= 1_000.001 for one in made)
    assert {one["n"] for one in made} <= set(range(1, 10))
    assert all(isinstance(one["n"], int) for one in made)
    assert {one["kind"] for one in made} == {"a", "b"}


def test_the_first_half_looks_everywhere() -> None:
    made = [trial.settings for trial in search(SPACE, worth, 32, 1)][:16]
    assert {int(one["x"] * 4) for one in made} == {0, 1, 2, 3}
    assert {int(np.log10(one["y"])) for one in made} >= {0, 1, 2}


def test_the_second_half_does_better_than_looking_everywhere_again() -> None:
    def found(trials: int, seed: int) -> list[float]:
        return [trial.value for trial in search(SPACE, worth, trials, seed)]

    near = np.mean([max(found(40, seed)) for seed in range(8)])
    everywhere = np.mean([max(found(80, seed)[:40]) for seed in range(8)])
    assert near > everywhere


def test_the_same_seed_gives_the_same_trials() -> None:
    first, again, other = (list(search(SPACE, worth, 8, seed)) for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_a_choice_at_the_very_end_is_its_last_option() -> None:
    assert Choice(("a", "b")).at(1.0) == "b"
    assert Range(10, 1_000, log=True).at(0.5) == pytest.approx(100)
