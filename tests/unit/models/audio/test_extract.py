from pathlib import Path

import numpy as np
import pytest

from models.audio.problems import BadAudio
from models.audio.settings import ORIGINAL_MELS, MelSettings
from tests.unit.models.audio.sounds import tone, write

pytest.importorskip("soundfile", reason="needs segue[audio]")
from models.audio.extract import Heard, hear, one


def test_a_second_run_reads_what_the_first_kept(tmp_path: Path) -> None:
    path, cache = write(tmp_path / "a.wav", tone(440)), tmp_path / "cache"
    first = one(path, MelSettings(), cache)
    (kept,) = cache.rglob("*.npy")
    marked = np.load(kept) * 0 + 7
    np.save(kept, marked)
    moved = path.rename(tmp_path / "b.wav")  # found by what it holds, whatever its name
    second = one(moved, MelSettings(), cache)
    assert isinstance(first, Heard)
    assert isinstance(second, Heard)
    assert second.sha256 == first.sha256
    assert (second.mel == 7).all()
    assert isinstance(one(moved, ORIGINAL_MELS, cache), Heard)
    assert len(list(cache.rglob("*.npy"))) == 2


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    path, cache = write(tmp_path / "a.wav", tone(440)), tmp_path / "cache"
    first = one(path, MelSettings(), cache)
    (kept,) = cache.rglob("*.npy")
    kept.write_bytes(kept.read_bytes()[:100])
    second = one(path, MelSettings(), cache)
    assert isinstance(first, Heard)
    assert isinstance(second, Heard)
    assert np.array_equal(first.mel, second.mel)


@pytest.mark.parametrize(("count", "workers"), [(3, 1), (18, 2)])
def test_a_bad_one_among_many_is_reported(tmp_path: Path, count: int, workers: int) -> None:
    paths = [write(tmp_path / f"{at}.wav", tone(200 + at, 0.2)) for at in range(count)]
    paths[1].write_bytes(b"")
    done: list[float] = []
    found = dict(hear(paths, MelSettings(), None, workers, done.append))
    assert sorted(found) == list(range(count))
    assert [at for at, each in found.items() if isinstance(each, BadAudio)] == [1]
    assert done[-1] == 1.0
