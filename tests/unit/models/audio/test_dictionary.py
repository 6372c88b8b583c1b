"""Words of sound: found without labels, and counted the same whatever stands around them. Needs torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs segue[neural]")
from models.audio.dictionary import Dictionary  # noqa: E402  # after what it needs

BANDS, FRAMES = 12, 5


def recordings(kinds: int, count: int, frames: int = 80) -> list[np.ndarray]:
    """Each repeats one of `kinds` pieces, with some noise."""
    rng = np.random.default_rng(5)
    pieces = np.random.default_rng(6).normal(size=(kinds, BANDS, FRAMES))
    made = [np.tile(pieces[at % kinds], (1, frames // FRAMES)) for at in range(count)]
    return [(each + 0.1 * rng.normal(size=each.shape)).astype(np.float32) for each in made]


def taught(mels: list[np.ndarray]) -> Dictionary:
    made = Dictionary(BANDS, FRAMES, words=16, nearness=0.25)
    made.learn(mels, np.random.default_rng(1))
    return made.eval()


def heard(made: Dictionary, mels: list[np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return made(torch.from_numpy(np.stack(mels))).numpy()


def test_recordings_of_one_kind_have_the_same_words() -> None:
    mels = recordings(4, 40)
    said = heard(taught(mels), mels)
    assert said.shape == (40, 32)
    near = np.linalg.norm(said[:, None] - said[None, :], axis=2)
    np.fill_diagonal(near, np.inf)
    assert (near.argmin(axis=1) % 4 == np.arange(40) % 4).all()


def test_a_level_alone_changes_little() -> None:
    mels = recordings(4, 8)
    made = taught(mels)
    louder = [each + 0.3 for each in mels]
    same, other = heard(made, mels), heard(made, louder)
    apart = np.linalg.norm(same - other, axis=1).mean()
    assert apart < 0.5 * np.linalg.norm(same[:4] - same[1:5], axis=1).mean()


def test_the_same_recordings_give_the_same_words_and_few_are_enough() -> None:
    mels = recordings(2, 4)
    assert torch.equal(taught(mels).words, taught(mels).words)
    assert np.isfinite(heard(taught(mels[:1]), mels)).all()
    assert torch.allclose(taught(mels).words.norm(dim=1), torch.ones(16), atol=1e-4)
