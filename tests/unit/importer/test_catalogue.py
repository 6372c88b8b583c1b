from pathlib import Path

import polars as pl

from schemas.codec import encode
from schemas.track import Track
from services.importer.catalogue import filled, read_tracks, tracks_of
from services.importer.loading import load
from services.importer.report import Report
from services.importer.rows import Options
from services.importer.tables import encode_tracks
from tests.unit.importer.conftest import NOW_MS

OPTIONS = Options(now_ms=NOW_MS)
FULL = Track("t1", "Song", "Ann", "LP", 1999, 1000, "m", "jazz", {"mood": "calm"}, "la\nla", "file:///x.mp3")
BARE = Track("t2", "Tune", "Bob")


def rows(*tracks: Track) -> pl.DataFrame:
    fields = [{name: getattr(track, name) for name in Track.__struct_fields__} for track in tracks]
    return pl.DataFrame([{**row, "labels": '{"mood":"calm"}' if row["labels"] else None} for row in fields])


def test_a_file_of_tracks_passes_every_field_through(tmp_path: Path) -> None:
    rows(FULL, BARE).write_csv(tmp_path / "t.csv")
    rows(FULL, BARE).with_columns(
        pl.Series("labels", [{"mood": "calm"}, None], dtype=pl.Struct({"mood": pl.String()}))
    ).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_bytes(encode(FULL) + b"\n" + encode(BARE))
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        report = Report()
        found = read_tracks(tmp_path / name, OPTIONS, report)
        assert [value for _, value in encode_tracks(found)] == [encode(FULL), encode(BARE)], name
        assert report.bad == 0


def test_what_is_no_track_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "track_id,title,artist,year,labels\na,A,X,1999,\n,B,X,1999,\nc,C,,1,\nd,D,X,70000,\ne,E,X,,no\n"
    )
    report = Report()
    assert read_tracks(tmp_path / "t.csv", OPTIONS, report)["track_id"].to_list() == ["a"]
    told = [str(problem) for problem in report.told]
    assert [line.split(": ")[1] for line in told] == ["row 3", "row 4", "row 5", "row 6"]
    assert "missing required field `track_id`" in told[0]
    assert "missing required field `artist`" in told[1]
    assert "year" in told[2]


def test_the_last_of_a_file_and_whole_tracks_win(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text("user,ts,artist,track\nu,1700000000,Ann,Song\n")
    (tmp_path / "t.csv").write_text("track_id,title,artist,genre\nAnn␟Song,Song,Ann,pop\nAnn␟Song,Song,Ann,jazz\n")
    frames = load([tmp_path / "plays.csv"], [tmp_path / "t.csv"], options=OPTIONS)
    assert frames.tracks.select("track_id", "genre").rows() == [("Ann␟Song", "jazz")]


def test_what_one_does_not_say_the_other_does(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text("user,ts,artist,track,track_id\nu,1700000000,Ann K.,Song,t1\n")
    played = load([tmp_path / "plays.csv"], options=OPTIONS).tracks
    rows(FULL, BARE).write_parquet(tmp_path / "t.parquet")
    found = filled(played, read_tracks(tmp_path / "t.parquet", OPTIONS, Report()))
    whole = found.select("track_id", "artist", "genre", "audio").rows()
    assert whole == [("t1", "Ann K.", "jazz", "file:///x.mp3"), ("t2", "Bob", None, None)]


def test_listens_tell_the_first_known_of_each_field() -> None:
    listens = pl.DataFrame(
        {
            "track_id": ["t", "t", "t", "nameless"],
            "title": ["Song", "Song (live)", "Song", None],
            "artist": ["Ann", "Ann", "Ann", "Ann"],
            "release": [None, "LP", "EP", None],
            "duration_ms": [None, None, 7, None],
            "mbid": [None, None, None, None],
        },
        schema_overrides={"mbid": pl.String()},
    )
    found = tracks_of(listens)
    assert found.select("track_id", "title", "artist", "release", "duration_ms").rows() == [
        ("t", "Song", "Ann", "LP", 7)
    ]
