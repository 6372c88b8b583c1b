"""The map of songs. Growth: test_recording.py."""

from pathlib import Path

import numpy as np
import pytest

from services.lyrics.drawing import map_of
from services.runtime.errors import Fatal
from tests.unit.models.lyrics.worlds import part

METRICS = {"silhouette": 0.0521, "tree_silhouette": -0.011}


def test_a_map_shows_groups_sentiment_and_both_silhouettes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs segue[evaluate]")
    vectors = np.random.default_rng(3).normal(size=(30, 5))
    vectors[7] = 0.0  # a song in another language
    made = part(tmp_path, 30, range(30), vectors, clusters=[at % 3 for at in range(30)])
    drawn = map_of(made, METRICS)
    assert drawn.startswith("<?xml")
    for said in ("3 groups; silhouette 0.052 (k-means), -0.011 (tree)", "29 songs;", "sentiment"):
        assert said in drawn


def test_two_songs_make_no_map(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="2 songs have a vector"):
        map_of(part(tmp_path, 2, range(2), np.eye(2)), METRICS)
