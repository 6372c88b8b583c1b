"""ALS neighbours as candidates: the nearest new tracks, and why."""

from pathlib import Path

import numpy as np
import pytest

from models.als.settings import AlsSettings
from models.profile import ProfileView
from models.release import Release
from models.sources.als import NO_CAUSE, Als
from models.sources.base import Candidates, Listener
from models.sources.reading import STRANGER
from models.sources.shelf import Shelf
from tests.unit.models.listeners import batch, line, read, rows
from tests.unit.scorer.worlds import (
    make_release,
    player_of,
)


def als_of(release: Release, *views: ProfileView | None, quota: int = 3) -> list[Candidates]:
    shelf = Shelf(release.catalogue)
    listeners = read(shelf, *views)
    vectors = np.array(
        [
            (each.weights[:, None] * release.factors[each.rows]).sum(axis=0) if len(each.rows) else np.zeros(2)
            for each in listeners
        ],
        dtype=np.float32,
    )
    return Als(release, AlsSettings().regularization).candidates(batch(shelf, listeners, vectors), quota)


def test_als_proposes_the_nearest_new_tracks_and_names_the_nearest_own_one(tmp_path: Path) -> None:
    (proposed,) = als_of(line(tmp_path / "r"), player_of([0, 6, 7, 8], step=1))
    assert rows(proposed) == [5, 4, 3]
    assert proposed.reasons([0]) == ["Because you play “Song 6” by Artist 6"]


class Index:
    """A FAISS index that gives what it is told to, and notes how many neighbours it was asked for."""

    def __init__(self, *rows: int) -> None:
        self.rows, self.ntotal, self.asked = rows, len(rows), []

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(k)
        return np.zeros((len(vectors), k), np.float32), np.tile(np.array(self.rows[:k]), (len(vectors), 1))


def test_als_searches_on_until_enough_of_the_nearest_are_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = line(tmp_path / "r")
    release.index = Index(*range(11, -1, -1))  # the first eight neighbours are known, whatever the vector
    monkeypatch.setattr(Als, "_width", lambda _self, _listener, quota: 2 * quota)
    proposed = als_of(release, player_of(range(4, 12)), player_of([0]), quota=1)
    assert [rows(each) for each in proposed] == [[3], [11]]
    assert release.index.asked == [2, 8, 12]  # wider for the one who needs it, never beyond the end


@pytest.mark.parametrize(("known", "width"), [(0, 200), (199, 200), (200, 400), (250, 400), (600, 800), (1_000, 800)])
def test_als_asks_for_more_neighbours_the_more_a_listener_knows(known: int, width: int) -> None:
    assert Als._width(Listener(rows=np.arange(known)), 100) == width


def test_als_passes_over_the_gaps_that_an_index_leaves(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    release.index = Index(5, 4, *[-1] * 10)
    assert rows(als_of(release, player_of([0]), quota=4)[0]) == [5, 4]
    assert release.index.asked == [8]  # −1 last: it has no more to give, so it is not asked again


def test_als_asks_for_no_more_neighbours_than_there_are(tmp_path: Path) -> None:
    (proposed,) = als_of(line(tmp_path / "r", 4), player_of([0]), quota=400)
    assert sorted(rows(proposed)) == [1, 2, 3]


def test_als_has_nothing_for_strangers_or_without_factors(tmp_path: Path) -> None:
    stranger, someone = als_of(line(tmp_path / "r"), None, player_of([3]))
    assert (rows(stranger), len(rows(someone))) == ([], 3)
    bare = make_release(tmp_path / "bare", [("Song", "Artist")], np.zeros((0, 2), dtype=np.float32))
    shelf = Shelf(bare.catalogue)
    vectors = np.ones((1, 2), dtype=np.float32)
    assert rows(Als(bare, 1.0).candidates(batch(shelf, read(shelf, player_of([0])), vectors), 5)[0]) == []


def test_als_without_a_cause_says_so_plainly(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    shelf = Shelf(release.catalogue)
    (proposed,) = Als(release, 1.0).candidates(batch(shelf, [STRANGER], np.ones((1, 2), dtype=np.float32)), 2)
    assert proposed.reasons([0, 1]) == [NO_CAUSE, NO_CAUSE]


def test_what_was_begun_is_for_that_batch_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sources.als.WORTH_A_THREAD", 1)
    release = line(tmp_path / "r")
    shelf = Shelf(release.catalogue)
    source = Als(release, 1.0)
    ends = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    first, second = (batch(shelf, [STRANGER], ends[at : at + 1]) for at in range(2))
    source.begin(first, 2)
    assert rows(source.candidates(second, 2)[0]) == [11, 10]
    source.begin(first, 2)
    assert rows(source.candidates(first, 2)[0]) == [0, 1]
    assert rows(source.candidates(first, 2)[0]) == [0, 1]


def test_what_goes_wrong_beside_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sources.als.WORTH_A_THREAD", 1)
    release = line(tmp_path / "r")
    source, shelf = Als(release, 1.0), Shelf(release.catalogue)
    asked = batch(shelf, [STRANGER], np.ones((1, 2), np.float32))

    def wrong(*_: object) -> None:
        raise ValueError("so it is")

    monkeypatch.setattr(source, "_search", wrong)
    source.begin(asked, 2)
    with pytest.raises(ValueError, match="so it is"):
        source.candidates(asked, 2)
