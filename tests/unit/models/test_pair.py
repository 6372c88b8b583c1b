import numpy as np
import pytest

from models.audio.settings import VECTOR, MelSettings
from models.neighbours.table import Table
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


def test_alike_is_also_what_is_often_heard_around_each_other() -> None:
    pytest.importorskip("soundfile", reason="needs segue[audio]")
    from models.pair.build import STRONG, together

    # Of five tracks: 0 beside 3 strongly and beside 4 hardly, 3 beside a track that was not heard, 4 beside 1.
    strong, faint = STRONG, STRONG / 2
    table = Table(
        np.array([0, 2, 2, 2, 3, 4]),
        np.array([3, 4, 2, 1], dtype=np.int32),
        np.array([strong, faint, 1.0, 1.0], dtype=np.float32),
    )
    made = together(np.array([0, 1, 3, 4]), table)  # track 2 has no recording
    assert {(one, two) for one, two in zip(*np.nonzero(made), strict=True)} == {(0, 2), (2, 0), (1, 3), (3, 1)}
    assert not together(np.array([7, 9]), table).any()  # catalogued after the table was made


def a_lesson(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of two kinds and vectors of four, so that there are eight, and who is of the same."""
    rng = np.random.default_rng(1)
    pictures = rng.normal(-4, 0.3, (count, BANDS, FRAMES)).astype(np.float32)
    kinds, others = np.arange(count) % 2, np.arange(count) // 2 % 4
    pictures[kinds == 1, :20] += 2.0
    vectors = np.zeros((count, VECTOR), dtype=np.float32)
    vectors[:, :64] = others[:, None] == np.arange(64) % 4
    known = (kinds[:, None] == kinds[None, :]) & (others[:, None] == others[None, :])
    np.fill_diagonal(known, val=False)
    return pictures, vectors, known


def test_the_network_learns_who_is_alike() -> None:
    torch = pytest.importorskip("torch", reason="needs segue[neural]")
    from models.pair.fit import NoPairs, fit

    pictures, vectors, known = a_lesson(96)
    settings = PairSettings(steps=60, batch=32, dropout=0.0, unseen=0.0)
    tower, head = fit(pictures[:64], vectors[:64], known[:64, :64], settings)
    with torch.inference_mode():
        seen = tower(torch.from_numpy(pictures[64:]), torch.from_numpy(vectors[64:]))
        said = np.array([[head(one[None], two[None]).item() for two in seen] for one in seen])
    asked = known[64:, 64:]
    assert (said[asked] > 0).mean() > 0.9
    assert (said[~asked & ~np.eye(32, dtype=bool)] < 0).mean() > 0.9
    assert np.allclose(said, said.T, atol=1e-4)
    with pytest.raises(NoPairs):
        fit(pictures, vectors, np.zeros_like(known), PairSettings())


def test_half_of_what_is_drawn_are_partners() -> None:
    pytest.importorskip("torch", reason="needs segue[neural]")
    from models.pair.fit import drawn

    known = np.zeros((50, 50), dtype=bool)
    known[3, 7] = known[7, 3] = known[3, 9] = known[9, 3] = True
    rows = drawn(known, 4_000, np.random.default_rng(1))
    first, partners = rows[:2_000], rows[2_000:]
    assert set(partners[first == 3]) == {7, 9}
    assert set(partners[first == 7]) == {3}
    assert len(set(partners[first == 20])) > 10
