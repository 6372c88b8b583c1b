"""The operator's list of what is in nobody's list."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from models.excluded import BadExclude, ExcludeFile, read
from models.ids import artist_key_of, key_of
from models.recommender import Recommender
from models.release import Release
from models.sources.settings import ListSettings
from tests.unit.scorer.worlds import checkerboard, player_of

LISTS = ListSettings(just_played=0)


@pytest.fixture
def board(tmp_path: Path) -> Release:
    return checkerboard(tmp_path / "board")


def test_a_line_names_a_track_or_an_artist(tmp_path: Path) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text("# taken down\n\ntrack spotify:1 2\n  artist  The Band \n")
    found = read(path)
    assert found.tracks.tolist() == [key_of("spotify:1 2")]
    assert found.artists.tolist() == [artist_key_of("the band")]


@pytest.mark.parametrize("line", ["t1", "album x", "track", "artist  "])
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text(f"track a\n{line}\n")
    with pytest.raises(BadExclude, match="line 2"):
        read(path)


def test_no_source_brings_what_is_excluded(board: Release, tmp_path: Path) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text("track t1\nartist artist 4\n")
    views = [player_of([1, 3, 5, 4]), None]
    every = Recommender(board, LISTS).recommend(views, 20)
    assert all({"t1", "t4"} <= {item.track_id for item in items} for items in every)
    fewer = Recommender(board, replace(LISTS, exclude=str(path))).recommend(views, 20)
    for before, after in zip(every, fewer, strict=True):
        assert {item.track_id for item in before} - {item.track_id for item in after} == {"t1", "t4"}


def test_a_change_counts_from_the_very_next_list(board: Release, tmp_path: Path) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text("track t1\n")
    recommender = Recommender(board, replace(LISTS, exclude=str(path)))
    path.write_text("track t3\n")
    os.utime(path, ns=(1, 1))
    recommender.refresh()
    ids = {item.track_id for item in recommender.recommend([None], 20)[0]}
    assert "t1" in ids
    assert "t3" not in ids


def test_a_file_that_goes_bad_or_away_changes_nothing_and_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "excluded.txt"
    path.write_text("track t1\n")
    watched = ExcludeFile(str(path))
    assert not watched.changed()
    path.write_text("nonsense here\n")
    with pytest.raises(BadExclude, match="line 1"):
        watched.changed()
    assert not watched.changed()
    path.unlink()
    with pytest.raises(BadExclude, match="stays excluded"):
        watched.changed()
    assert watched.now.tracks.tolist() == [key_of("t1")]
    path.write_text("track t2\n")
    assert watched.changed()
    assert watched.now.tracks.tolist() == [key_of("t2")]


def test_at_the_start_it_must_be_there(board: Release, tmp_path: Path) -> None:
    with pytest.raises(BadExclude, match="cannot be read"):
        Recommender(board, replace(LISTS, exclude=str(tmp_path / "nowhere")))
    assert not ExcludeFile("").changed()
