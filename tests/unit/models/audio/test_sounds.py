"""The source `sounds` and the mix `playlist`, on a release whose rows sound alike in their order."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.audio.part import Sounds as Part
from models.compose import Pick
from models.playlist import spaced
from models.recommender import Recommender
from models.release import Release
from models.sources.settings import ListSettings
from models.sources.shelf import Shelf
from models.sources.sounds import Sounds
from tests.unit.models.audio.worlds import write_sounds
from tests.unit.models.listeners import line, propose, rows
from tests.unit.scorer.worlds import player_of


def heard(folder: Path, of: list[int], count: int = 12) -> Release:
    release = line(folder / "r", count)
    write_sounds(folder, of)
    release.sounds = Part(folder, count)
    return release


def test_the_nearest_unheard_of_what_is_played_most(tmp_path: Path) -> None:
    release = heard(tmp_path, list(range(12)))
    found = propose(Sounds(release), Shelf(release.catalogue), player_of([0]), quota=3)
    assert rows(found) == [1, 2, 3]
    assert found.reasons([0]) == ["Sounds like “Song 0”, which you play a lot"]


def test_only_what_was_heard_can_be_proposed_or_be_a_reason(tmp_path: Path) -> None:
    release = heard(tmp_path, [2, 5, 6, 11])
    shelf = Shelf(release.catalogue)
    assert rows(propose(Sounds(release), shelf, player_of([0]))) == []
    assert rows(propose(Sounds(release), shelf, player_of([5]))) == [2, 6, 11]  # as far apart as the fan's order


def test_a_release_without_sounds_proposes_nothing(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    assert rows(propose(Sounds(release), Shelf(release.catalogue), player_of([0]))) == []


def test_a_playlist_is_new_and_says_why(tmp_path: Path) -> None:
    release = heard(tmp_path, list(range(12)))
    made = Recommender(release, ListSettings(mix="playlist", just_played=0)).recommend([player_of([3])], 4)[0]
    assert len(made) == 4
    assert "t3" not in {item.track_id for item in made}
    assert {item.source for item in made} == {"sounds"}
    assert all(item.reason == "Sounds like “Song 3”, which you play a lot" for item in made)
    assert [item.score for item in made] == sorted((item.score for item in made), reverse=True)


def test_a_playlist_names_the_track_that_it_ranked_by(tmp_path: Path) -> None:
    release = heard(tmp_path, list(range(12)))

    class Contrary:
        """The further two rows, the more alike."""

        def alike(self, seeds: np.ndarray, others: np.ndarray) -> np.ndarray:
            return np.abs(seeds[:, None] - others[None, :]).astype(np.float32) / 12

    assert release.sounds is not None
    release.sounds.pairs = Contrary()  # type: ignore[assignment]  # stands in for the network
    made = Recommender(release, ListSettings(mix="playlist", just_played=0)).recommend([player_of([3, 7])], 4)[0]
    assert [item.track_id for item in made[:2]] == ["t11", "t0"]
    assert [item.reason for item in made[:2]] == [
        "Sounds like “Song 3”, which you play a lot", "Sounds like “Song 7”, which you play a lot",
    ]  # fmt: skip


def test_no_artist_comes_twice_in_a_row() -> None:
    artists = np.array([1, 1, 1, 2, 3, 3], dtype=np.int64)
    picks = [Pick(row, 1.0 - row / 10, 0, row) for row in range(6)]
    made = spaced(picks, artists, 10)
    assert all(artists[one.row] != artists[two.row] for one, two in pairwise(made))
    assert [pick.row for pick in made] == [0, 3, 1, 4, 2, 5]
    assert all(one.score >= two.score for one, two in pairwise(made))
    assert [pick.row for pick in spaced(picks[:3], artists, 10)] == [0]


def test_vectors_stay_on_disk_and_outlive_their_folder(tmp_path: Path) -> None:
    release = heard(tmp_path, list(range(12)))
    assert release.sounds is not None
    assert isinstance(release.sounds.vectors, np.memmap)
    shutil.rmtree(tmp_path)
    assert rows(propose(Sounds(release), Shelf(release.catalogue), player_of([0]), quota=3)) == [1, 2, 3]


def test_files_that_disagree_are_refused(tmp_path: Path) -> None:
    write_sounds(tmp_path, [0, 5])
    with pytest.raises(ValueError, match="rows that the catalogue has not"):
        Part(tmp_path, 5)
    np.save(tmp_path / "audio_rows.npy", np.array([0]))
    with pytest.raises(ValueError, match="disagree"):
        Part(tmp_path, 12)
