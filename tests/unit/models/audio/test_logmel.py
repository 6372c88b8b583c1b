import numpy as np
import pytest

from models.audio.logmel import filters, hz_of, logmel, mel_of, mfcc
from models.audio.settings import ORIGINAL_MELS, RATE, MelSettings
from tests.unit.models.audio.sounds import noise, tone


def test_the_mel_scale_is_slaneys() -> None:
    assert mel_of(1000.0) == pytest.approx(15.0)
    assert mel_of(6400.0) == pytest.approx(42.0)  # 27 steps of ln(6.4)/27 above 1 kHz
    assert hz_of(np.array([mel_of(hz) for hz in (50.0, 999.0, 5000.0)])) == pytest.approx([50.0, 999.0, 5000.0])


@pytest.mark.parametrize("hz", [110.0, 880.0, 5_000.0])
def test_a_tone_is_loudest_in_its_own_band(hz: float) -> None:
    settings = MelSettings()
    edges = hz_of(np.linspace(mel_of(settings.low_hz), mel_of(settings.high_hz), settings.bands + 2))
    band = int(logmel(tone(hz), settings)[: settings.bands, 5:-5].mean(axis=1).argmax())
    assert edges[band] <= hz <= edges[band + 2]


@pytest.mark.parametrize("settings", [MelSettings(), ORIGINAL_MELS])
def test_its_size_is_what_the_settings_say(settings: MelSettings) -> None:
    made = logmel(noise(1, 3.0), settings)
    assert made.shape[0] == settings.rows
    assert made.shape[1] == pytest.approx(3 * RATE / settings.hop, abs=1)
    assert made.dtype == np.float32


def test_silence_is_the_floor_and_ten_times_louder_is_two_more() -> None:
    settings = MelSettings()
    assert logmel(np.zeros(RATE, dtype=np.float32), settings) == pytest.approx(-8.0, abs=1e-5)
    loud, soft = logmel(tone(440, loud=0.5), settings), logmel(tone(440, loud=0.05), settings)
    assert loud.max() - soft.max() == pytest.approx(2.0, abs=1e-3)


def test_a_long_recording_is_the_same_as_its_blocks() -> None:
    samples, settings = noise(2, 60.0), MelSettings()
    whole = logmel(samples, settings)
    begin = logmel(samples[: 10 * RATE], settings)
    assert whole.shape[1] > 2_048
    assert np.allclose(whole[:, :400], begin[:, :400], atol=1e-4)


def test_the_filters_have_area_one() -> None:
    settings = MelSettings()
    width = RATE / 1024
    assert (filters(settings).sum(axis=1) * width * settings.window)[20:] == pytest.approx(1.0, rel=0.15)


def test_the_first_cepstrum_is_the_level() -> None:
    mel = np.full((64, 3), -2.0, dtype=np.float32)
    assert mfcc(mel)[0] == pytest.approx(-2.0 * 8.0)  # √64
    assert mfcc(mel)[1:] == pytest.approx(0.0, abs=1e-5)
