from pathlib import Path

import numpy as np
import pytest

from models.audio.problems import BadAudio
from models.audio.settings import RATE
from tests.unit.models.audio.sounds import noise, tone, write

pytest.importorskip("soundfile", reason="needs segue[audio]")
from models.audio.decode import decode, middle, path_of


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_every_format_becomes_mono_samples(tmp_path: Path, ending: str) -> None:
    both = np.stack([tone(440), tone(440)], axis=1)
    heard = decode(write(tmp_path / f"a.{ending}", both))
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(RATE, rel=0.12)  # mp3 pads
    assert np.abs(np.fft.rfft(heard[: RATE // 2])).argmax() == pytest.approx(220, abs=2)


def test_another_rate_is_brought_to_ours(tmp_path: Path) -> None:
    samples = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32)
    heard = decode(write(tmp_path / "a.wav", samples, 44_100))
    assert len(heard) == RATE
    assert np.abs(np.fft.rfft(heard)).argmax() == 440


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"not a recording at all" * 100), "no audio that can be read"),
        (lambda path: write(path, tone(440, loud=0.0)), "is silent"),
        (lambda path: write(path, tone(440, seconds=0.01)), "holds 10 ms"),
        (lambda path: write(path, np.full(RATE, np.nan, dtype=np.float32), subtype="FLOAT"), "no numbers"),
        (Path, "No such file"),
    ],
)
def test_what_cannot_be_heard_is_said(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "a.wav"
    make(path)  # type: ignore[operator]  # one of the lambdas above
    with pytest.raises(BadAudio, match=why):
        decode(path)


def test_what_is_too_long_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="more than"):
        decode(write(tmp_path / "a.wav", tone(440, 2.0)), longest_s=1.0)


def test_a_uri_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a b.wav"
    assert path_of(path.as_uri()) == path
    assert path_of(str(path)) == path
    with pytest.raises(BadAudio, match="only paths and file://"):
        path_of("https://example.org/a.mp3")


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_of_a_long_recording_the_middle_is_heard(tmp_path: Path, ending: str) -> None:
    third = [tone(hz, 4.0) for hz in (300, 600, 1_200)]
    heard = middle(write(tmp_path / f"a.{ending}", np.concatenate(third)), 2.0)
    assert len(heard) == 2 * RATE
    assert np.abs(np.fft.rfft(heard)).argmax() == pytest.approx(1_200, abs=2)  # 600 Hz, in half hertz


def test_of_a_short_one_all_is_heard_and_none_is_too_long(tmp_path: Path) -> None:
    short = write(tmp_path / "a.flac", tone(440, 1.5))
    assert np.array_equal(middle(short, 2.0), decode(short))
    hour = write(tmp_path / "b.flac", noise(1, 3_600_000 / RATE), 1_000)
    with pytest.raises(BadAudio, match="lasts 60 minutes"):
        decode(hour)
    assert len(middle(hour, 30.0)) == 30 * RATE


def test_a_middle_that_cannot_be_heard_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="is empty"):
        middle(write_bytes(tmp_path / "a.wav", b""), 1.0)
    whole = write(tmp_path / "b.flac", np.random.default_rng(1).uniform(-0.5, 0.5, 10 * RATE)).read_bytes()
    with pytest.raises(BadAudio):  # the header says ten seconds
        middle(write_bytes(tmp_path / "c.flac", whole[: len(whole) // 4]), 1.0)


def write_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
