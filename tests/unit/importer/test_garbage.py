"""Whatever a file holds, reading it ends well: it is told what is wrong, and nothing is raised."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.importer.formats import READERS, detect
from services.importer.loading import load
from services.importer.report import Report
from services.importer.rows import BadOption, Options
from tests.unit.importer.conftest import NOW_MS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
NAMES = [
    "ts", "ms_played", "endTime", "msPlayed", "trackName", "artistName", "master_metadata_track_name", "payload",
    "listen_type", "listened_at", "track_metadata", "additional_info", "artist_name", "track_name", "event_id",
    "user_id", "track_id", "title", "labels", "listens",
]  # fmt: skip
KNOWN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("2023-01-01T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
)
HEADERS = [
    b"",
    b"uts,artist,track\n",
    b"user_id,listened_at,artist,track,ms_played\n",
    b"user\tts\ttrack_id\n",
    b"userID\tartistID\tweight\n",
    b"PAR1",
    b"\x1f\x8b\x08\x00",
    b"PK\x03\x04",
    b"(\xb5/\xfd",
    b"BZh9",
    b"\xfd7zXZ\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"[",
    b'[{"ts":"2023-03-19T18:31:37Z"},',
]
CELLS = st.lists(st.sampled_from([b",", b'"', b"\n", b"\r\n", b"\t", b"a", b"1700000000", b"\xff", b"\x00"]))
CONTENT = st.one_of(
    st.builds(lambda head, body: head + b"".join(body), st.sampled_from(HEADERS), CELLS),
    st.builds(lambda head, body: head + body, st.sampled_from(HEADERS), st.binary(max_size=200)),
    st.builds(lambda values: "\n".join(json.dumps(v) for v in values).encode(), st.lists(JSON | KNOWN, max_size=5)),
    st.builds(lambda value: json.dumps(value, indent=1).encode(), st.lists(KNOWN, max_size=5)),
    st.builds(lambda value, cut: json.dumps(value).encode()[:cut], st.lists(KNOWN, max_size=5), st.integers(0, 99)),
    st.builds(lambda body, cut: gzip.compress(body)[:cut], st.binary(max_size=100), st.integers(0, 200)),
)


@pytest.mark.parametrize("form", sorted(READERS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT)
@example(content=b"")
def test_a_reader_never_raises(form: str, tmp_path: Path, content: bytes) -> None:
    read_well(tmp_path, form, content)


@pytest.mark.parametrize("form", sorted(READERS))
@pytest.mark.parametrize("nested", [b"[", b'{"a":', b'{"payload":[', b'"', b"a,", b"a"])
def test_a_reader_never_raises_over_depth_or_width(form: str, tmp_path: Path, nested: bytes) -> None:
    read_well(tmp_path, form, nested * 200_000)


def read_well(folder: Path, form: str, content: bytes) -> None:
    file = folder / ("user_artists.dat" if form == "hetrec" else "garbage")
    file.write_bytes(content)
    report = Report(limit=None)
    found = load([file], form=form, options=Options(now_ms=NOW_MS, user="me"), report=report)  # type: ignore[arg-type]
    assert found.listens.height or report.bad or report.left_out
    assert report.bad == len(report.told)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT)
def test_detecting_raises_nothing_but_that_it_cannot_tell(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    with suppress(BadOption):
        assert detect(file) in READERS


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, name=st.sampled_from(["t.csv", "t.jsonl", "t.parquet"]))
def test_a_file_of_tracks_never_raises(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert load([], [tmp_path / name], options=Options(now_ms=NOW_MS), report=Report()).listens.height == 0
