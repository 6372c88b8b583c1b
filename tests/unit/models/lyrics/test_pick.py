from pathlib import Path

import numpy as np
import pytest

from models.lyrics.find import find
from models.lyrics.pick import UnknownTopic, has_taste, pick
from models.lyrics.songs import ABOUT, REQUIRED, SONGS, Songs, load
from models.release import BadRelease, Release
from models.sources.base import Listener
from tests.unit.models.listeners import line
from tests.unit.models.lyrics.worlds import part, write_part

NIGHT = np.array([0.9, 0.6, 0.2, 0.45, 0.95, 0.1])
PROBABILITIES = np.stack([1 - NIGHT, NIGHT, np.zeros(6)], axis=1)
LABELS = [None, "night", "night", None, "love", None]
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.float32)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    made = line(tmp_path / "r")
    made.lyrics = part(tmp_path / "part", 12, range(6), VECTORS, labels=LABELS, probabilities=PROBABILITIES)
    return made


def test_the_sure_come_first_and_the_topics_own_fill(release: Release) -> None:
    picked = pick(release, "night", 10)
    assert [song.title for song in picked] == ["Song 0", "Song 1", "Song 2"]  # 4 is labelled otherwise
    assert [song.labelled for song in picked] == [False, True, True]
    assert [song.probability for song in picked] == [0.9, 0.6, 0.2]
    assert len(pick(release, "NIGHT ", 2)) == 2


def test_songs_in_another_language_are_never_picked_whatever_their_label(release: Release, tmp_path: Path) -> None:
    languages = ["de", "en", "de", "en", "en", "de"]
    release.lyrics = part(
        tmp_path / "o", 12, range(6), VECTORS, labels=LABELS, probabilities=PROBABILITIES, languages=languages
    )
    assert [song.title for song in pick(release, "night", 10)] == ["Song 1"]


def test_a_listeners_taste_ranks_but_the_sure_stay_first(release: Release) -> None:
    likes = Listener(newest=9, rows=np.array([1]), weights=np.array([5.0]))
    picked = pick(release, "night", 10, likes)
    assert [song.title for song in picked] == ["Song 1", "Song 0", "Song 2"]
    assert picked[0].taste == pytest.approx(1.0)
    stranger = pick(release, "night", 10, Listener())
    assert [song.title for song in stranger] == ["Song 0", "Song 1", "Song 2"]
    assert stranger[0].taste == 0.0


def test_an_unknown_topic_names_those_there_are_nearest_first(release: Release, tmp_path: Path) -> None:
    with pytest.raises(UnknownTopic, match=r"there are war, "):
        pick(release, "wars", 3)
    with pytest.raises(UnknownTopic, match=r"there are night, "):
        pick(release, "nite", 3)
    with pytest.raises(UnknownTopic, match="knows no topics"):
        pick(line(tmp_path / "other"), "night", 3)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("worda", "night, love, war"),
        ("wordc", "love, night, war"),
        ("wor", "war, night, love"),
        ("wordcs", "love, night, war"),
    ],
)
def test_the_nearest_topics_are_those_whose_songs_have_such_words(release: Release, asked: str, nearest: str) -> None:
    with pytest.raises(UnknownTopic, match=f"there are {nearest}$"):
        pick(release, asked, 3)


def test_who_likes_no_song_with_lyrics_has_no_taste(release: Release, tmp_path: Path) -> None:
    likes = Listener(newest=9, rows=np.array([1]), weights=np.array([5.0]))
    other = Listener(newest=9, rows=np.array([11]), weights=np.array([5.0]))  # a track without lyrics
    assert has_taste(release, likes)
    assert not has_taste(release, other)
    assert not has_taste(release, Listener())
    assert not has_taste(line(tmp_path / "other"), likes)


def test_a_song_is_found_by_a_line(release: Release, tmp_path: Path) -> None:
    for package in ("simplemma", "stop_words"):
        pytest.importorskip(package, reason="needs segue[lyrics]")
    assert [song.title for song in find(release, "Wordb, wordc!", 1)] == ["Song 4"]
    assert find(release, "nothing known", 3) == []
    with pytest.raises(BadRelease, match="no lyrics part"):
        find(line(tmp_path / "other"), "wordb", 3)


def test_a_part_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_part(tmp_path, range(6), VECTORS)
    files = {path.name for path in tmp_path.iterdir()}
    assert load(tmp_path, set(), 12) is None
    assert isinstance(load(tmp_path, files, 12), Songs)
    with pytest.raises(ValueError, match=SONGS):
        load(tmp_path, files, 3)
    for name in set(REQUIRED) - {ABOUT}:
        with pytest.raises(ValueError, match=name):
            load(tmp_path, files - {name}, 12)
    np.save(tmp_path / "lyrics_vectors.npy", np.full((6, 3), np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match="not finite"):
        load(tmp_path, files, 12)
