"""Teaching and exporting: needs torch."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from models.audio.logmel import logmel
from models.audio.settings import NOTES, ORIGINAL, SEGMENTS, WIDTH, MelSettings, NetworkSettings
from tests.unit.models.audio.sounds import noise, tone

torch = pytest.importorskip("torch", reason="needs segue[neural]")
pytest.importorskip("onnxscript", reason="needs segue[neural]")
from models.audio.fit import fit, listen  # noqa: E402  # after what it needs
from models.audio.network import parameters  # noqa: E402  # after what it needs
from models.onnx_graph import TOLERANCE, NotTheSame, export  # noqa: E402  # after what it needs

MELS = MelSettings()


def lesson(count: int = 12) -> tuple[list[np.ndarray], np.ndarray]:
    """Low tones, and noise."""
    made = [logmel(tone(150 + 10 * at, 1.5) if at % 2 else noise(at, 1.5), MELS) for at in range(count)]
    return made, np.eye(2, dtype=np.float32)[np.arange(count) % 2]


SHAPES = {"words": NetworkSettings(), "tower": NOTES, "original": ORIGINAL}


@pytest.mark.parametrize("shape", SHAPES)
def test_it_learns_and_is_small(shape: str) -> None:
    mels, targets = lesson(16)
    settings = replace(SHAPES[shape], crops=600, epochs=40, batch=8)
    assert settings.shape == shape
    made = fit(mels[:12], targets[:12], MELS, settings)
    shares, vectors = listen(made, mels[12:], MELS, 60)
    assert (shares.argmax(axis=1) == targets[12:].argmax(axis=1)).all()
    assert shares.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert vectors.shape == (4, SEGMENTS * WIDTH)
    assert parameters(made) < 1_000_000


def test_the_same_seed_gives_the_same_network() -> None:
    mels, targets = lesson(6)
    settings = NetworkSettings(crops=30, batch=4)
    first, second = (listen(fit(mels, targets, MELS, settings), mels, MELS, 60)[1] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_graph_says_the_same(shape: str, tmp_path: Path) -> None:
    mels, targets = lesson(6)
    made = fit(mels, targets, MELS, replace(SHAPES[shape], crops=12, batch=4))
    told = {"mels": (MELS.rows, 60)}, ("logits", "vector"), tmp_path / "a.onnx"
    assert export(made, *told) <= TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


class TwoFaced(torch.nn.Module):
    """Says something else while it is exported."""

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return numbers + (1.0 if torch.compiler.is_exporting() else 0.0)


def test_a_graph_that_says_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotTheSame, match=r"a\.onnx: differs from the network by \d"):
        export(TwoFaced(), {"numbers": (3,)}, ["out"], tmp_path / "a.onnx")


def test_one_recording_of_one_class_is_no_trouble() -> None:
    mels, _ = lesson(1)
    made = fit(mels, np.ones((1, 1), dtype=np.float32), MELS, NetworkSettings(crops=4))
    assert np.isfinite(listen(made, mels, MELS, 60)[1]).all()


def test_a_lesson_of_five_steps_is_no_trouble() -> None:
    mels, targets = lesson(6)
    fit(mels, targets, MELS, NetworkSettings(crops=30, batch=8))
