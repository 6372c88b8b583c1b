import numpy as np

from models.audio.segments import crop, heard_at_once, thirds, windows
from models.audio.settings import MelSettings


def ramp(frames: int) -> np.ndarray:
    return np.arange(frames, dtype=np.float32)[None, :].repeat(2, axis=0)


def test_thirds_are_the_middles_of_thirds() -> None:
    assert [part[0, 0] for part in thirds(ramp(300), 60)] == [20, 120, 220]
    assert [part.shape[1] for part in thirds(ramp(50), 60)] == [50, 50, 50]
    assert [part[0, 0] for part in thirds(ramp(90), 60)] == [0, 15, 30]


def test_windows_cover_the_part() -> None:
    made = windows(ramp(100), 40)
    assert made.shape == (3, 2, 40)
    assert made[:, 0, 0].tolist() == [0, 30, 60]
    assert windows(ramp(40), 40).shape == (1, 2, 40)
    assert windows(ramp(15), 40)[0, 0].tolist() == [*range(15), *range(15), *range(10)]


def test_a_crop_is_from_anywhere_and_a_short_one_is_repeated() -> None:
    rng = np.random.default_rng(1)
    starts = {int(crop(ramp(10), 8, rng)[0, 0]) for _ in range(50)}
    assert starts == {0, 1, 2}
    assert crop(ramp(3), 7, rng).shape == (2, 7)


def test_a_network_hears_as_much_as_its_recordings_have() -> None:
    heard = MelSettings()
    assert heard_at_once([ramp(86)], heard, 6.0) == 86
    assert heard_at_once([ramp(10_000)], heard, 6.0) == 258
    assert heard_at_once([ramp(3)], heard, 6.0) == 43
