"""What is told of pitches: the same in every key, and not how loud it is. Needs torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs segue[neural]")
from models.audio.harmony import INTERVALS, Harmony  # noqa: E402  # after what it needs

COUNT, FRAMES = 66, 40
KEYED = 3 * COUNT  # what comes first is of each semitone, and so of a key
MAJOR, CLUSTER = (0, 4, 7), (0, 1, 2)


def chord(root: int, steps: tuple[int, ...], level: float = 0.0) -> "torch.Tensor":
    rows = np.full((COUNT, FRAMES), -6.0, dtype=np.float32)
    for step in steps:
        rows[root + step] = -2.0
    return torch.from_numpy(rows + np.float32(level))[None]


def told(semitones: "torch.Tensor") -> np.ndarray:
    made = Harmony(COUNT)
    said = made(semitones)
    assert said.shape == (1, made.width)
    return said[0].numpy()


def test_a_chord_is_the_same_in_another_key_and_another_chord_is_not() -> None:
    here, there, other = (told(chord(*each))[KEYED:] for each in ((20, MAJOR), (25, MAJOR), (20, CLUSTER)))
    assert np.abs(here - there).max() < 0.05
    assert np.abs(here - other).max() > 0.2


def test_the_level_changes_nothing() -> None:
    assert told(chord(20, MAJOR)) == pytest.approx(told(chord(20, MAJOR, 1.5)), abs=1e-4)


def test_the_intervals_that_sound_together_are_named() -> None:
    intervals = told(chord(24, MAJOR))[-4 - INTERVALS : -4]
    assert sorted(np.argsort(-intervals)[:3] + 1) == [3, 4, 7]  # 4 to 7, 0 to 4, 0 to 7


def test_how_many_pitches_there_are() -> None:
    heights = told(chord(24, MAJOR))[-4:]
    assert heights[1] == pytest.approx(3.0)
    assert heights[2:] == pytest.approx(0.0, abs=0.01)
