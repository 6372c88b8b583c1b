import numpy as np
import pytest

from models.audio.settings import MelSettings
from models.pair.pictures import alike, picture
from models.pair.settings import BANDS, FRAMES, PairSettings


@pytest.mark.parametrize("frames", [1, 50, 120, 2_584, 9_000])
def test_a_picture_has_one_size(frames: int) -> None:
    mel = np.linspace(0, 1, 64, dtype=np.float32)[:, None].repeat(frames, axis=1)
    made = picture(mel, MelSettings())
    assert made.shape == (BANDS, FRAMES)
    assert (np.diff(made[:, 0]) > 0).all()


def test_a_picture_is_of_the_first_minute() -> None:
    mel = np.zeros((64, 5_000), dtype=np.float32)
    mel[:, 3_000:] = 1.0
    assert picture(mel, MelSettings()).max() == 0.0


def test_alike_is_one_artist_or_the_same_in_every_task() -> None:
    rock, pop, calm = {"genre": {"rock": 1.0}}, {"genre": {"pop": 1.0}}, {"emotion": {"calm": 0.7, "sad": 0.3}}
    sad = {"emotion": {"calm": 0.4, "sad": 0.6}}
    made = alike([rock, rock, pop, rock | calm, rock | sad, {}], ["A", "", "A", "", "", ""])
    pairs = {(one, two) for one, two in zip(*np.nonzero(made), strict=True) if one < two}
    assert pairs == {(0, 1), (0, 2), (0, 3), (0, 4), (1, 3), (1, 4)}
    assert np.array_equal(made, made.T)


def test_the_network_learns_who_is_alike() -> None:
    torch = pytest.importorskip("torch", reason="needs segue[neural]")
    from models.pair.fit import NoPairs, fit

    rng = np.random.default_rng(1)
    pictures = rng.normal(-4, 0.3, (40, BANDS, FRAMES)).astype(np.float32)
    kind = np.arange(40) % 2
    pictures[kind == 1, :20] += 2.0
    known = (kind[:, None] == kind[None, :]) & ~np.eye(40, dtype=bool)
    tower, head = fit(pictures[:30], known[:30, :30], PairSettings(pairs=1_500, batch=32))
    with torch.inference_mode():
        vectors = tower(torch.from_numpy(pictures[30:]))
        said = np.array([[head(one[None], two[None]).item() for two in vectors] for one in vectors])
    assert ((said > 0) == (kind[30:, None] == kind[None, 30:])).mean() > 0.9
    assert np.allclose(said, said.T, atol=1e-4)
    with pytest.raises(NoPairs):
        fit(pictures, np.zeros((40, 40), dtype=bool), PairSettings())
