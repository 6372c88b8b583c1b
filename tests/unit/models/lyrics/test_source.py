"""Lyrics-alikes as candidates: near in words, unheard, of a matching cluster, with their reason."""

from pathlib import Path

import numpy as np
import pytest

from models.lyrics.taste import points
from models.release import Release
from models.sources.lyrics import Lyrics
from models.sources.shelf import Shelf
from tests.unit.models.listeners import batch, line, read, rows
from tests.unit.models.lyrics.worlds import part
from tests.unit.scorer.worlds import player_of


def source_shelf(release: Release) -> Shelf:
    return Shelf(release.catalogue)


def circle(count: int) -> np.ndarray:
    angles = np.arange(count) * (np.pi / count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_the_nearest_unheard_songs_come_first_and_the_nearest_own_is_named(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    release.lyrics = part(tmp_path / "p", 12, range(12), circle(12))
    source = Lyrics(release)
    shelf = source_shelf(release)
    listeners = read(shelf, player_of([3]), None, player_of([0, 1]))
    proposed = source.candidates(batch(shelf, listeners), 3)
    assert set(rows(proposed[0])[:2]) == {2, 4}
    assert 3 not in rows(proposed[0])
    assert proposed[0].reasons([0, 1]) == ["Words like “Song 3” by Artist 3"] * 2
    assert rows(proposed[1]) == []
    assert rows(proposed[2])[0] == 2


def test_only_songs_of_matching_clusters_are_proposed(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    clusters = [row // 2 for row in range(12)]
    release.lyrics = part(tmp_path / "p", 12, range(12), circle(12), clusters=clusters)
    shelf = source_shelf(release)
    (proposed,) = Lyrics(release).candidates(batch(shelf, read(shelf, player_of([0]))), 12)
    assert {clusters[row] for row in rows(proposed)} <= {0, 1, 2}
    assert len(rows(proposed)) == 5


def test_a_release_without_lyrics_proposes_nothing(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    shelf = source_shelf(release)
    (proposed,) = Lyrics(release).candidates(batch(shelf, read(shelf, player_of([3]))), 5)
    assert rows(proposed) == []


def test_a_listener_of_two_kinds_of_songs_has_two_points() -> None:
    rng = np.random.default_rng(3)
    one, two = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
    near = np.concatenate([one + 0.05 * rng.standard_normal((10, 4)), two + 0.05 * rng.standard_normal((6, 4))])
    near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    centres, of = points(near, np.ones(16))
    assert len(centres) == 2
    assert of.tolist() == [0] * 10 + [1] * 6
    assert centres @ np.stack([one, two]).T == pytest.approx(np.eye(2), abs=0.1)
    assert len(points(near[:0], np.empty(0))[0]) == 0
