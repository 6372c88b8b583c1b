"""Song vectors: which way is shipped, and what a line finds."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'segue[neural]'")
pytest.importorskip("sklearn", reason="needs segue[lyrics]")

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
