import json
from pathlib import Path

import polars as pl
import pytest

from services.importer.formats import NoSuchFile, detect, expand, reader_of
from services.importer.rows import BadOption

LISTEN = {"listened_at": 1_700_000_000, "track_metadata": {"artist_name": "A", "track_name": "B"}}
STREAM = {"ts": "2023-03-19T18:31:37Z", "master_metadata_track_name": "B"}
ACCOUNT = {"endTime": "2023-03-19 18:31", "artistName": "A"}


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("1.listens", "", "listenbrainz"),
        ("x.json", json.dumps({"payload": [LISTEN]}, indent=2), "listenbrainz"),
        ("x.jsonl", json.dumps(LISTEN), "listenbrainz"),
        ("endsong_3.json", "", "spotify"),
        ("StreamingHistory0.json", "", "spotify"),
        ("x.json", json.dumps([STREAM]), "spotify"),
        ("x.json", json.dumps([ACCOUNT]), "spotify"),
        ("x.jsonl", '{"event_id":"e","user_id":"u"}', "jsonl"),
        ("x.jsonl", '{"track_id":"t","title":"s"}', "jsonl"),
        ("x.csv", "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n", "lastfm"),
        ("x.csv", "Artist,Track,Album,Time\n", "lastfm"),
        ("x.csv", "Ann,LP,Song,03 Feb 2024 21:07\n", "lastfm"),
        ("x.csv", "user_id;timestamp;artist;track\n", "csv"),
        ("user_artists.dat", "", "hetrec"),
    ],
)
def test_a_file_tells_its_format(tmp_path: Path, name: str, content: str, form: str) -> None:
    (tmp_path / name).write_text(content)
    assert detect(tmp_path / name) == form


def test_parquet_tells_whose_it_is(tmp_path: Path) -> None:
    pl.DataFrame({"listened_at": [1], "artist_name": ["a"], "recording_name": ["b"]}).write_parquet(tmp_path / "a")
    pl.DataFrame({"listened_at": [1], "artist": ["a"], "track": ["b"]}).write_parquet(tmp_path / "b")
    assert (detect(tmp_path / "a"), detect(tmp_path / "b")) == ("listenbrainz", "parquet")


@pytest.mark.parametrize("content", ["", "hello", '{"a": 1}', "a,b\n1,2\n", "\x00\x01"])
def test_what_tells_nothing_is_asked_about(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(BadOption, match=r"x: cannot tell what format it is; name one of listenbrainz, spotify"):
        detect(tmp_path / "x")


def test_a_folder_is_its_files_of_the_format(tmp_path: Path) -> None:
    for name in ("b/endsong_1.json", "b/Userdata.json", "a.csv", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert expand([tmp_path], "spotify") == [tmp_path / "b/endsong_1.json"]
    assert expand([tmp_path / "notes.md"], "spotify") == [tmp_path / "notes.md"]  # named by hand: meant
    assert len(expand([tmp_path])) == 3
    with pytest.raises(NoSuchFile, match="no file in this folder is named as those of parquet are"):
        expand([tmp_path], "parquet")


def test_a_misspelt_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile, match="no such file or folder"):
        expand([tmp_path / "nothing"])
    with pytest.raises(BadOption, match="unknown format 'mp3'"):
        reader_of("mp3")
