import numpy as np
import pytest

from models.audio.logmel import logmel
from models.audio.semitones import LOWEST_HZ, semitones, triangles
from models.audio.settings import ORIGINAL_MELS, RATE, MelSettings
from tests.unit.models.audio.sounds import noise, tone

SETTINGS = MelSettings()


def heard(samples: np.ndarray, settings: MelSettings = SETTINGS) -> np.ndarray:
    return logmel(samples, settings)[settings.bands :]


@pytest.mark.parametrize("row", [12, 24, 37, 65])
def test_a_tone_is_loudest_at_its_own_semitone(row: int) -> None:
    made = heard(tone(LOWEST_HZ * 2 ** (row / 12)))[:, 10:-10].mean(axis=1)
    assert int(made.argmax()) == row
    others = np.delete(made, [row - 1, row, *([row + 1] if row + 1 < len(made) else [])])
    assert made[row] > others.max()


def test_two_neighbours_that_a_band_cannot_tell_apart_are_told_apart() -> None:
    low, high = tone(LOWEST_HZ * 4), tone(LOWEST_HZ * 4 * 2 ** (1 / 12))
    bands = [int(logmel(each, SETTINGS)[: SETTINGS.bands, 10:-10].mean(axis=1).argmax()) for each in (low, high)]
    rows = [int(heard(each)[:, 10:-10].mean(axis=1).argmax()) for each in (low, high)]
    assert bands[0] == bands[1]
    assert rows == [24, 25]


def test_it_is_in_step_with_the_bands() -> None:
    """A tone that begins in the middle begins at the same frame in both."""
    samples = np.concatenate((np.zeros(RATE, dtype=np.float32), tone(440.0)[:RATE]))
    made = logmel(samples, SETTINGS)
    loud = [rows.max(axis=0) > rows.max() - 2 for rows in (made[: SETTINGS.bands], made[SETTINGS.bands :])]
    assert abs(int(loud[0].argmax()) - int(loud[1].argmax())) <= 6  # a window of 0.19 s hears 4 frames ahead


@pytest.mark.parametrize("samples", [1_103, 2_000, RATE, 3 * RATE + 7])
def test_it_is_as_long_as_the_bands(samples: int) -> None:
    made = logmel(noise(1, 4.0)[:samples], SETTINGS)
    assert made.shape[0] == SETTINGS.bands + SETTINGS.semitones
    assert np.isfinite(made).all()


def test_the_original_has_none_and_silence_is_the_floor() -> None:
    assert len(heard(noise(1, 1.0), ORIGINAL_MELS)) == 0
    assert semitones(np.zeros(RATE, dtype=np.float32), 5, 512, 20) == pytest.approx(-8.0, abs=1e-5)


def test_every_semitone_listens_to_something() -> None:
    assert (triangles(66).sum(axis=1) > 0).all()
