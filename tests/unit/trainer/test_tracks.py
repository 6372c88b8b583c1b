from pathlib import Path

import polars as pl
import pytest

from services.trainer.columns import TRACKS, catalogue_columns
from services.trainer.tracks import OLDEST_MS, Tracks


def change(track: str, title: str | None) -> pl.DataFrame:
    row = {"track_id": track, "title": title, "artist": "A", "gone": title is None}
    return pl.DataFrame([row], schema=TRACKS)


def titles(tracks: Tracks) -> dict[str, str]:
    return dict(tracks.table().select("track_id", "title").iter_rows())


def test_the_newest_value_wins_and_a_removed_track_is_gone(tmp_path: Path) -> None:
    tracks = Tracks(tmp_path, "topic", 0)
    tracks.take(0, 1, change("a", "old"))
    tracks.take(1, 1, change("b", "B"))
    assert titles(tracks) == {"a": "old", "b": "B"}
    tracks.take(0, 2, change("a", "new"))
    tracks.take(1, 2, change("b", None))
    tracks.take(0, 3, change("c", None))
    assert titles(tracks) == {"a": "new"}
    tracks.take(1, 3, change("b", "back"))
    assert titles(tracks) == {"a": "new", "b": "back"}


def test_a_restart_goes_on_from_the_snapshot(tmp_path: Path) -> None:
    tracks = Tracks(tmp_path, "topic", 0)
    tracks.take(0, 7, change("a", "A"))
    path = tracks.save(1_000)
    again = Tracks(tmp_path, "topic", 2_000)
    assert again.positions == {0: 7}
    assert titles(again) == {"a": "A"}
    assert catalogue_columns(path).columns == [name for name in TRACKS if name != "gone"]


@pytest.mark.parametrize(("topic", "now"), [("another", 2_000), ("topic", 1_001 + OLDEST_MS)])
def test_the_snapshot_of_another_topic_or_of_long_ago_is_not_used(tmp_path: Path, topic: str, now: int) -> None:
    tracks = Tracks(tmp_path, "topic", 0)
    tracks.take(0, 7, change("a", "A"))
    tracks.save(1_000)
    again = Tracks(tmp_path, topic, now)
    assert again.positions == {}
    assert titles(again) == {}


def test_a_broken_snapshot_is_read_from_the_log_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "tracks.parquet").write_bytes(b"broken")
    assert Tracks(tmp_path, "topic", 0).positions == {}
    assert "read from the log again" in caplog.text


def test_a_snapshot_is_written_only_when_something_changed(tmp_path: Path) -> None:
    tracks = Tracks(tmp_path, "topic", 0)
    tracks.take(0, 1, change("a", "A"))
    path = tracks.save(1_000)
    written = path.stat().st_mtime_ns
    tracks.save(2_000)
    assert path.stat().st_mtime_ns == written
    tracks.take(0, 2, change("a", "B"))
    tracks.save(3_000)
    assert path.stat().st_mtime_ns > written
