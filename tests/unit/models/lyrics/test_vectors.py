"""Song vectors: which way is shipped, and what a line finds."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'segue[neural]'")
pytest.importorskip("sklearn", reason="needs segue[lyrics]")

from models.lyrics.clusters import cluster
from models.lyrics.encoder import unit
from models.lyrics.settings import LyricsSettings
from models.lyrics.vectors import WAYS, best, recall

SETTINGS = LyricsSettings(dimensions=16, epochs=20, threads=1)
SONGS = [[f"{letter}{number}" for number in range(6)] * 2 for letter in "abcdefghijklmnopqrstuvwxyzäöüß" for _ in "12"]


@pytest.mark.parametrize("name", WAYS)
def test_a_planted_line_is_found_and_one_of_unknown_words_is_not(name: str) -> None:
    made = WAYS[name](SONGS, SETTINGS, lambda _: None)
    lines, of = [[*SONGS[7][:3], "unheard"], SONGS[30][2:5]], np.array([7, 30])
    assert recall(made, lines, of) == 1.0
    assert recall(made, lines, of[::-1]) == 0.0
    unknown = made.encoder.encode([["xyzzyqq", "unheard"], []])
    assert not unknown.any()


def test_the_way_that_finds_most_lines_is_shipped_and_static_where_none_was_asked() -> None:
    assert best({"song_model": 0.1, "tfidf_svd": 0.3, "static": 0.2}, 9) == "tfidf_svd"
    assert best({"song_model": 0.0, "tfidf_svd": 0.0, "static": 0.0}, 0) == "static"
    assert recall(WAYS["static"](SONGS, SETTINGS, lambda _: None), [], np.empty(0, dtype=np.int64)) == 0.0


def test_planted_groups_come_together() -> None:
    rng = np.random.default_rng(3)
    planted = np.repeat(np.arange(3), 12)
    near = unit(np.eye(5)[planted] + 0.05 * rng.standard_normal((36, 5)))
    found = cluster(np.concatenate((near, np.zeros((1, 5), dtype=np.float32))), 3, 42, 1)
    assert found.of[-1] == -1
    assert len({*zip(planted.tolist(), found.of.tolist(), strict=False)}) == 3
    assert found.centres.shape == (3, 5)
    assert np.diag(near[::12] @ found.centres[found.of[:36:12]].T) == pytest.approx(1.0, abs=0.05)
    assert min(found.silhouette, found.tree_silhouette) > 0.8
