from pathlib import Path

import polars as pl
import pytest

from services.importer.rows import BadOption
from tests.unit.importer.conftest import Read, read_file

PLAYS = {
    "user_id": ["u1", "u1", "u2"],
    "listened_at": [1_700_000_060, 1_700_000_000, 1_700_000_030],
    "artist": ["Ann", "Bob", "Ann"],
    "track": ["Song", "Tune", "Song"],
    "ms_played": [1000, 0, 200_000],
}


def test_a_table_needs_no_map_and_comes_out_by_time(tmp_path: Path) -> None:
    pl.DataFrame(PLAYS).write_parquet(tmp_path / "plays.parquet")
    pl.DataFrame(PLAYS).write_csv(tmp_path / "plays.csv")
    parquet, text = read_file(tmp_path / "plays.parquet"), read_file(tmp_path / "plays.csv")
    assert parquet.bad == text.bad == []
    assert parquet.listens.select("user_id", "track_id", "listened_at", "ms_played", "kind", "source").rows() == [
        ("u1", "Bob␟Tune", 1_700_000_000_000, 0, "play", "import:parquet"),
        ("u2", "Ann␟Song", 1_700_000_030_000, 200_000, "play", "import:parquet"),
        ("u1", "Ann␟Song", 1_700_000_060_000, 1000, "play", "import:parquet"),
    ]
    assert parquet.tracks.select("track_id", "title", "artist").rows() == [
        ("Bob␟Tune", "Tune", "Bob"),
        ("Ann␟Song", "Song", "Ann"),
    ]
    assert parquet.ids == text.ids


def test_columns_can_be_mapped_and_the_unit_given(tmp_path: Path) -> None:
    odd = pl.DataFrame(
        {"USER": [1, 2], "when": [1_700_000_000_000_000, None], "song": ["s1", "s2"], "what": ["love", "ban"]}
    )
    odd.write_parquet(tmp_path / "odd.parquet")
    columns = {"user_id": "USER", "listened_at": "when", "track_id": "song", "kind": "what"}
    found = read_file(tmp_path / "odd.parquet", columns=columns, time_unit="us")
    assert found.listens.select("user_id", "listened_at", "track_id", "kind", "artist").rows() == [
        ("1", 1_700_000_000_000, "s1", "love", None)
    ]
    assert found.bad == ["odd.parquet: row 2: listened_at: is missing or no time that can be read"]
    assert found.tracks.height == 0  # nothing is known but the id


@pytest.mark.parametrize(("name", "theirs"), [("user_id", "nobody"), ("colour", "USER")])
def test_a_map_that_cannot_be_is_refused(tmp_path: Path, name: str, theirs: str) -> None:
    pl.DataFrame({"USER": [1]}).write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(BadOption, match=f"--map {name}={theirs}"):
        read_file(tmp_path / "odd.parquet", columns={name: theirs})


def test_a_missing_column_is_told_with_those_there_are(read: Read) -> None:
    found = read("x.csv", "user,artist,track\nu,a,t\n", "csv")
    assert found.bad == [
        "x.csv: listened_at: no such column; it has user, artist, track; "
        "name it with --map (of segue import, train, evaluate and tune)"
    ]
    found = read("y.csv", "ts,artist,track\n1700000000,a,t\n", "csv")
    assert found.bad[0].startswith("y.csv: user_id: no such column")
    assert read("y.csv", "ts,artist,track\n1700000000,a,t\n", "csv", user="me").listens["user_id"].to_list() == ["me"]


def test_bad_rows_are_told_with_their_field(read: Read) -> None:
    text = (
        "user_id;timestamp;artist;track;ms_played;kind\n"
        "u;2023-11-14T22:13:20Z;Ann;Song;1000;\n"
        "u;2023-11-14 22:13:20;Ann;Song;long;\n"
        "u;1994-11-14;Ann;Song;1;\n"
        "u;2093-11-14;Ann;Song;1;\n"
        "u;2023-11-14;Ann;Song;-7;\n"
        "u;2023-11-14;Ann;Song;1;dance\n"
        ";2023-11-14;Ann;Song;1;\n"
        f"u;2023-11-14;Ann;{'x' * 3000};1;\n"
        "u;2023-11-14T23:13+01:00;Ann;Song;;skip\n"
    )
    found = read("x.csv", text)
    assert found.listens.select("listened_at", "ms_played", "kind").rows() == [
        (1_699_999_980_000, None, "skip"),
        (1_700_000_000_000, 1000, "play"),
    ]
    assert found.bad == [
        "x.csv: row 3: ms_played: is no count of milliseconds",
        "x.csv: row 4: listened_at: is before 1995",
        "x.csv: row 5: listened_at: is in the future",
        "x.csv: row 6: ms_played: is no count of milliseconds",
        "x.csv: row 7: kind: is none of play, skip, love, ban, unban",
        "x.csv: row 8: user_id: is missing",
        "x.csv: row 9: title: has more than 2048 characters",
    ]


def test_equal_rows_are_two_listens_and_stay_so(tmp_path: Path) -> None:
    twice = pl.DataFrame({name: [values[0]] * 3 for name, values in PLAYS.items()})
    twice.write_parquet(tmp_path / "twice.parquet")
    pl.DataFrame({name: values[:1] for name, values in PLAYS.items()}).write_parquet(tmp_path / "once.parquet")
    three, one = read_file(tmp_path / "twice.parquet"), read_file(tmp_path / "once.parquet")
    assert len(set(three.ids)) == 3
    assert set(one.ids) < set(three.ids)


def test_a_long_name_or_one_with_our_sign_still_has_one_id_each(read: Read) -> None:
    long = "x" * 400
    text = f"user,ts,artist,track\nu,1700000000,{long},{long}a\nu,1700000000,{long},{long}b\n"
    text += "u,1700000000,a␟b,c\nu,1700000000,a,b␟c\n"
    found = read("x.csv", text)
    assert found.bad == []
    assert found.listens["track_id"].n_unique() == 4
    assert found.listens["track_id"].str.len_chars().max() <= 512  # type: ignore[operator]
    assert found.tracks.height == 4


def test_other_encodings_are_told_and_can_be_named(read: Read) -> None:
    text = "user,ts,artist,track\nu,1700000000,Bjørn,Ærlig\nu,1700000001,Ann,Song\n"
    found = read("x.csv", text.encode("cp1252"))
    assert found.listens["artist"].to_list() == ["Ann"]
    assert found.bad[0].startswith("x.csv: row 2: not UTF-8")
    assert read("y.csv", text.encode("cp1252"), encoding="cp1252").listens["artist"].to_list() == ["Bjørn", "Ann"]
    for encoding in ("utf-16", "utf-8-sig"):
        assert read("z.csv", text.encode(encoding)).listens["artist"].to_list() == ["Bjørn", "Ann"]


def test_untidy_csv_is_read_row_by_row(read: Read) -> None:
    text = 'user,ts,artist,track\nu,1700000000,"Ann ""A""","So\nng"\nu,1700000001,Ann,Song,,\nu,1700000002,Ann,"open\n'
    found = read("x.csv", text)
    assert found.listens.select("artist", "listened_at").rows() == [
        ('Ann "A"', 1_700_000_000_000),
        ("Ann", 1_700_000_001_000),
        ("Ann", 1_700_000_002_000),
    ]


def test_the_real_table_needs_no_map() -> None:
    real = Path(__file__).parents[4] / "shared/data/listens.parquet"
    if not real.is_file():
        pytest.skip("needs ../shared/data/listens.parquet")
    plain = pl.read_parquet(real)
    found = read_file(real)
    assert (found.listens.height, found.bad) == (plain.height, [])
    assert found.listens["event_id"].n_unique() == plain.height
    joined = found.listens.select("track_id", "artist").join(
        found.tracks, on="track_id", how="left", maintain_order="left"
    )
    assert joined["artist"].equals(joined["artist_right"])
    assert found.tracks.n_unique(["artist", "title"]) == plain.n_unique(["artist", "track"]) == found.tracks.height
