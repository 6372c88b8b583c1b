"""Tracks announced since a release was trained: who joins, when, and what they change."""

from pathlib import Path

import polars as pl
import pytest

from models.profile import ProfileView
from models.release import Release, load
from models.sources.settings import ListSettings
from schemas.release import ReleaseAnnounced
from services.runtime.errors import BrokerAway, Fatal
from services.scorer.newcomers import DAY_MS, Newcomers
from services.scorer.ports import Described
from services.scorer.releases import Releases
from services.scorer.split import Split
from tests.unit.scorer.fakes import World
from tests.unit.scorer.worlds import NOON, checkerboard_parts, frame, listen, profile, write_release


class MemoryTracks:
    """The Tracks port: what a test says is announced next."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.coming: list[list[tuple[str, Described | None]]] = []
        self.away = False

    def begin(self, since_ms: int) -> None:
        self.begun.append(since_ms)

    def poll(self) -> list[tuple[str, Described | None]]:
        if self.away:
            raise BrokerAway("away")
        return self.coming.pop(0) if self.coming else []


class Following:
    def __init__(self, folder: Path, most: int = 3) -> None:
        titles, factors, als = checkerboard_parts()
        sha256 = write_release(folder, frame(titles), factors, als)
        self.announced = ReleaseAnnounced(folder.name, str(folder), sha256, 0)
        self.time, self.tracks, self.world = 0.0, MemoryTracks(), World()
        warming = [profile([listen("t3", NOON), listen("n1", NOON + 200)]).encode()]
        self.releases = Releases(
            Split(ListSettings(), ListSettings()), self.world.metrics, lambda: warming, lambda: self.time, 30,
            Newcomers(self.tracks, 60.0, most, lambda: self.time),
        )  # fmt: skip
        self.releases.follow(self.announced)

    def turn(self, *tracks: str) -> None:
        self.tell(*((track, Described(track, track.upper(), "Somebody")) for track in tracks))

    def tell(self, *told: tuple[str, Described | None]) -> None:
        self.tracks.coming.append(list(told))
        self.releases.follow(self.announced)

    def size(self) -> int:
        assert self.releases.current is not None
        return len(self.releases.current.release.catalogue)


def test_they_are_read_from_a_day_before_the_release(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    following.turn()
    following.turn()
    assert following.tracks.begun == [max(0, load(tmp_path / "r").manifest.created_at - DAY_MS)]


def test_an_unknown_track_joins_and_stands_in_the_lists_of_who_played_it(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    size = following.size()
    following.turn("n1", "t0", "n1")
    assert following.size() == size + 1
    assert following.world.count("newcomer_tracks") == 1
    assert following.releases.current is not None
    who = ProfileView(profile([listen("t3", NOON), listen("n1", NOON + 200)]).encode())
    [items] = following.releases.current.a.recommender.recommend([who], 50)
    assert "n1" in {item.track_id for item in items}


def test_known_tracks_make_no_new_catalogue(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    kept = following.releases.current
    following.turn("t0", "t1")
    assert following.releases.current is kept


def test_a_catalogue_grows_at_most_so_often(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    following.turn("n1")
    kept = following.releases.current
    following.time = 59.0
    following.turn("n2")
    assert following.releases.current is kept
    following.time = 60.0
    following.turn()
    assert following.releases.current is not kept
    assert following.world.count("newcomer_tracks") == 2


def test_no_more_join_than_there_is_room_for_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    following = Following(tmp_path / "r", most=2)
    size = following.size()
    following.turn("n1", "n2", "n3")
    following.time = 600.0
    following.turn("n4")
    assert following.size() == size + 2
    assert [text for text in caplog.messages if "newcomers" in text and "wait" in text] == [
        "2 newcomers are in the catalogue; n3 and all after it wait for the next release (SEGUE_SCORER_NEW_TRACKS)"
    ]


def test_the_newest_word_on_a_track_counts_and_what_is_withdrawn_is_gone(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    size = following.size()
    following.tell(("n1", Described("n1", "Old", "Somebody")), ("n1", Described("n1", "New", "Somebody")), ("n9", None))
    assert following.releases.current is not None
    assert following.releases.current.release.catalogue.titles[size:] == ["New"]
    following.time = 60.0
    following.tell(("n1", None))
    assert following.size() == size
    assert following.world.count("newcomer_tracks") == 0


def test_newcomers_that_cannot_join_leave_what_works_and_are_tried_again(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    kept, exclude = following.releases.current, tmp_path / "exclude.txt"
    exclude.write_text("track t1\n")
    following.releases._split = Split(ListSettings(exclude=str(exclude)), ListSettings())  # as set at the start
    exclude.unlink()
    following.turn("n1")
    assert following.releases.current is kept
    assert following.world.count("release_failures_total", error="BadExclude") == 1
    exclude.write_text("track t1\n")
    following.time = 60.0
    following.turn()
    assert following.world.count("newcomer_tracks") == 1


def test_a_release_that_cannot_take_newcomers_keeps_serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    following = Following(tmp_path / "r")
    kept = following.releases.current

    def broken(_release: Release, _tracks: pl.DataFrame) -> Release:
        raise pl.exceptions.ColumnNotFoundError("of a later version")

    monkeypatch.setattr(Release, "with_tracks", broken)
    following.turn("n1")
    assert following.releases.current is kept
    assert following.world.count("release_failures_total", error="ColumnNotFoundError") == 1


def test_what_no_retry_mends_is_not_taken_for_a_newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    following = Following(tmp_path / "r")
    following.turn()

    def forbidden() -> list[tuple[str, Described | None]]:
        raise Fatal("read tracks: not authorised")

    monkeypatch.setattr(following.tracks, "poll", forbidden)
    with pytest.raises(Fatal, match="not authorised"):
        following.turn("n1")


def test_another_release_begins_anew(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    following.turn("n1")
    titles, factors, als = checkerboard_parts()
    sha256 = write_release(tmp_path / "s", frame(titles), factors, als)
    following.announced = ReleaseAnnounced("s", str(tmp_path / "s"), sha256, 0)
    following.turn()
    assert following.world.count("newcomer_tracks") == 0
    following.tracks.coming.clear()
    following.turn("n2")
    assert len(following.tracks.begun) == 2
    assert following.world.count("newcomer_tracks") == 1


def test_a_broker_that_is_away_is_told_of_and_nothing_changes(tmp_path: Path) -> None:
    following = Following(tmp_path / "r")
    kept, following.tracks.away = following.releases.current, True
    with pytest.raises(BrokerAway):
        following.turn("n1")
    assert following.releases.current is kept
    following.tracks.away = False
    following.turn("n1")
    assert following.world.count("newcomer_tracks") == 1
