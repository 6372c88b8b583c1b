import json
from pathlib import Path

import polars as pl
import pytest

from services.importer.loading import load
from services.importer.report import Report
from services.importer.rows import Options
from tests.unit.importer.conftest import NOW_MS, Read, read_file

MBID = "11111111-2222-3333-4444-555555555555"
MSID = "99999999-8888-7777-6666-555555555555"
DATA = Path(__file__).parents[4] / "shared/data/listenbrainz"


def line(**changes: object) -> dict[str, object]:
    metadata = {"artist_name": "Ann", "track_name": "Song", "release_name": "LP", "additional_info": {}}
    return {"user_id": 7, "user_name": "seven", "timestamp": 1_700_000_000, "track_metadata": metadata, **changes}


def lines(*values: object) -> str:
    return "\n".join(json.dumps(value) for value in values)


def test_a_dump_line_becomes_a_listen(read: Read) -> None:
    found = read("1.listens", lines(line(recording_msid=MSID)))
    assert found.bad == []
    assert found.listens.select("user_id", "track_id", "listened_at", "kind", "artist", "source").rows() == [
        ("7", MSID, 1_700_000_000_000, "play", "Ann", "import:listenbrainz")
    ]
    assert found.tracks.select("track_id", "title", "artist", "release").rows() == [(MSID, "Song", "Ann", "LP")]


def test_the_mapped_recording_goes_before_the_submitted_one_and_the_msid(read: Read) -> None:
    metadata = {
        "artist_name": "Ann",
        "track_name": "Song",
        "mbid_mapping": {"recording_mbid": MBID.upper().replace("1", "A")},
        "additional_info": {"recording_mbid": MBID, "recording_msid": MSID},
    }
    found = read("a.jsonl", lines(line(track_metadata=metadata)), "listenbrainz")
    assert found.listens["track_id"].to_list() == [MBID.replace("1", "a")]
    del metadata["mbid_mapping"]
    found = read("b.jsonl", lines(line(track_metadata=metadata)), "listenbrainz")
    assert found.tracks.select("track_id", "mbid").rows() == [(MBID, MBID)]


def test_submissions_arrays_and_api_answers_are_read_and_name_the_user(read: Read) -> None:
    single = {"listened_at": 1_700_000_000, "track_metadata": {"artist_name": "Ann", "track_name": "Song"}}
    forms = [
        json.dumps({"listen_type": "import", "payload": [single]}, indent=2),
        json.dumps([{"listen_type": "single", "payload": [single]}]),
        json.dumps([single], indent=4),
        lines(single),
        json.dumps(single, indent=1),
        json.dumps({"payload": {"count": 1, "listens": [single]}}),
    ]
    ids = [read(f"{n}.json", text, "listenbrainz", user="me").ids for n, text in enumerate(forms)]
    assert len(ids[0]) == 1
    assert all(other == ids[0] for other in ids)
    answer = json.dumps({"payload": {"user_id": "you", "listens": [single]}})
    assert read("you.json", answer, "listenbrainz", user="me").listens["user_id"].to_list() == ["you"]


def test_playing_now_is_no_listen_and_no_fault(read: Read) -> None:
    now = {"listen_type": "playing_now", "payload": [{"track_metadata": {"artist_name": "A", "track_name": "B"}}]}
    found = read("now.json", json.dumps(now), "listenbrainz", user="me")
    assert (found.listens.height, found.bad, found.left_out) == (0, [], {"playing now": 1})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"track_metadata": None}, "line 2: track_metadata: Expected `object`, got `null`"),
        (
            {"track_metadata": {"artist_name": "A"}},
            "line 2: track_metadata: Object missing required field `track_name`",
        ),
        (
            {"track_metadata": {"artist_name": ["A"], "track_name": "B"}},
            "line 2: track_metadata.artist_name: Expected `str`, got `array`",
        ),
        (
            {"track_metadata": {"artist_name": "", "track_name": "B"}, "recording_msid": MSID},
            "line 2: artist: is missing",
        ),
        ({"track_metadata": {"artist_name": "A", "track_name": " "}}, "line 2: title: is missing"),
        ({"track_metadata": {"artist_name": "A", "track_name": "\0B"}}, "line 2: title: holds a NUL character"),
        ({"timestamp": None}, "line 2: listened_at: is missing or no time that can be read"),
        ({"timestamp": 100}, "line 2: listened_at: is before 1995"),
        ({"timestamp": 1_700_000_000_000_000_000}, "line 2: listened_at: is in the future"),
        ({"timestamp": "soon"}, "line 2: listened_at: 'soon' is not a time in seconds"),
        ({"user_id": None, "user_name": None}, "line 2: user_id: is missing"),
        (
            {"track_metadata": {"artist_name": "A", "track_name": "B", "additional_info": {"recording_mbid": "x"}}},
            "line 2: recording_mbid: 'x' is not a MusicBrainz id",
        ),
    ],
)
def test_a_bad_line_is_told_with_its_field_and_the_others_go_in(
    read: Read, changes: dict[str, object], told: str
) -> None:
    found = read("x.listens", lines(line(), line(**changes), line(timestamp=1_700_000_001)))
    assert found.bad == [f"x.listens: {told}"]
    assert found.listens.height == 2


def test_a_truncated_last_line_is_told(read: Read) -> None:
    found = read("x.listens", lines(line(), line())[:-20])
    assert found.listens.height == 1
    assert found.bad == ["x.listens: line 2: Input data was truncated"]


def test_a_listen_that_comes_twice_is_one(read: Read) -> None:
    found = read("x.listens", lines(line(), line(), line(timestamp=1_700_000_005)))
    assert (found.listens.height, found.left_out) == (2, {"repeated": 1})


@pytest.mark.parametrize(
    ("info", "length"),
    [
        ({"duration_ms": 1222.6}, 1223),
        ({"duration": "200"}, 200_000),
        ({"duration": None}, None),
        ({"duration_ms": "x"}, None),
    ],
)
def test_a_duration_is_taken_if_it_is_a_number(read: Read, info: dict[str, object], length: int | None) -> None:
    metadata = {"artist_name": "A", "track_name": "B", "additional_info": info}
    assert read("x.listens", lines(line(track_metadata=metadata))).listens["duration_ms"].to_list() == [length]


def test_dump_parquet_has_the_same_ids_as_dump_lines(read: Read, tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "listened_at": [1_700_000_000_000, 1_700_000_001_000],
            "user_id": [7, 7],
            "recording_msid": [MSID, MSID],
            "artist_name": ["Ann", "Ann"],
            "artist_credit_id": [None, 3],
            "release_name": [None, "LP"],
            "recording_name": ["Song", "Song"],
            "recording_mbid": [None, MBID],
            "artist_credit_mbids": [None, [MBID]],
        }
    ).with_columns(pl.col("listened_at").cast(pl.Datetime("ms"))).write_parquet(tmp_path / "0.parquet")
    parquet = read_file(tmp_path / "0.parquet")
    mapped = {"artist_name": "Ann", "track_name": "Song", "mbid_mapping": {"recording_mbid": MBID}}
    text = lines(line(recording_msid=MSID), line(timestamp=1_700_000_001, track_metadata=mapped))
    assert parquet.bad == []
    assert parquet.ids == read("same.listens", text).ids


def test_real_samples_are_read() -> None:
    if not DATA.is_dir():
        pytest.skip(f"needs the private samples at {DATA.name} in ../shared/data")
    report = Report(limit=None)
    options = Options(now_ms=NOW_MS, user="me")
    dump = load([DATA / "dump-2024-01/data/samples/1.listens_sample.json"], options=options, report=report)
    assert (dump.listens.height, report.bad) == (100, 0)
    spark = DATA / "server-fixtures/listenbrainz_spark/testdata/full-dump-1"
    full = load([spark], form="listenbrainz", options=options, report=report)
    assert full.listens.height == sum(pl.read_parquet(file).height for file in spark.glob("*.parquet"))
    assert report.bad == 0
