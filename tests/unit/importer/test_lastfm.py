import pytest

from services.importer.rows import BadOption
from tests.unit.importer.conftest import Read

MBID = "11111111-2222-3333-4444-555555555555"


def test_lastfm_to_csv_has_no_header(read: Read) -> None:
    text = 'Ann,LP,Song,03 Feb 2024 21:07\n"Bob, Jr.",,"So ""what""",13 Mar 2024 00:00\n'
    found = read("scrobbles.csv", text, user="me")
    assert found.bad == []
    assert found.listens.select("user_id", "track_id", "listened_at", "source").rows() == [
        ("me", "Ann␟Song", 1_706_994_420_000, "import:lastfm"),
        ("me", 'Bob, Jr.␟So "what"', 1_710_288_000_000, "import:lastfm"),
    ]
    assert found.tracks["release"].to_list() == ["LP", None]


def test_mainstream_has_seconds_and_recordings(read: Read) -> None:
    text = (
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        f'"1700000000","14 Nov 2023, 22:13","Ann","","LP","","Song","{MBID}"\n'
        '"1700000060","14 Nov 2023, 22:14","Ann","","LP","","Other",""\n'
    )
    found = read("export.csv", text, user="me")
    assert found.bad == []
    assert found.listens.select("track_id", "listened_at").rows() == [
        (MBID, 1_700_000_000_000),
        ("Ann␟Other", 1_700_000_060_000),
    ]


def test_librefm_has_comments_and_may_name_the_user(read: Read) -> None:
    text = "+ACM- Data export,,,\n# more\nArtist,Track,Album,Time\nAnn,Song,LP,1700000000\n"
    assert read("librefm.csv", text, user="me").listens["user_id"].to_list() == ["me"]
    text = "# a comment\nuserid,Artist,track,Album,time\n12,Ann,Song,LP,1700000000\n,Ann,Song,LP,1700000060\n"
    found = read("named.csv", text, "lastfm")
    assert found.listens["user_id"].to_list() == ["12"]
    assert found.bad == ["named.csv: row 4: user_id: is missing"]
    assert read("named2.csv", text, "lastfm", user="me").listens["user_id"].to_list() == ["12", "me"]


def test_a_user_must_be_named(read: Read) -> None:
    with pytest.raises(BadOption, match="--user"):
        read("scrobbles.csv", "Ann,LP,Song,03 Feb 2024 21:07\n", "lastfm")


def test_what_is_no_scrobble_export_is_told(read: Read) -> None:
    found = read("x.csv", "# comment\none,two\nthree,four\n", "lastfm", user="me")
    assert found.listens.height == 0
    assert found.bad[0].startswith("x.csv: line 2: header: not a scrobble export")


def test_bad_rows_are_told_by_their_line(read: Read) -> None:
    text = (
        "Ann,LP,Song,03 Feb 2024 21:07\n"
        "Ann,LP,Song,not a date\n"
        ",LP,Song,03 Feb 2024 21:08\n"
        "Ann,LP\n"
        "Ann,LP,Song,01 Jan 1970 00:00\n"
        "Ann,LP,Song,03 Feb 2024 21:09,and,more\n"
        "\n"
        "Bob,LP,Song,03 Feb 2024 21:10\n"
    )
    found = read("s.csv", text, "lastfm", user="me")
    assert found.listens["artist"].to_list() == ["Ann", "Bob"]
    assert sorted(found.bad) == [
        "s.csv: row 2: listened_at: is missing or no time that can be read",
        "s.csv: row 3: artist: is missing",
        "s.csv: row 4: listened_at: is missing or no time that can be read",
        "s.csv: row 5: listened_at: is before 1995",
        "s.csv: row 6: has 6 fields, not 4",
    ]
