import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from services.importer.lyrics import join, read_lyrics, read_topics
from services.importer.report import Report
from services.importer.tables import TRACKS, tracks_frame
from services.runtime.errors import Fatal

Read = Callable[[Sequence[Path], Report], pl.DataFrame]

LYRICS = (
    'artist,song,link,text\nAnn,River Road,/a,"down the road\nby the river"\nAnn,,/b,no title\n"Bob, Jr.",Home,/c,x y\n'
)
TOPICS = (
    ",artist_name,track_name,release_date,genre,lyrics,topic,sadness,loudness\n"
    "0,ann,river road,1999,pop,road river,night/time,0.9,0.1\n1,Cid,New,2001,rock,new song,sadness,0.2,0.1\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    lyrics, topics = tmp_path / "songs.csv", tmp_path / "topics.csv"
    lyrics.write_text(LYRICS, encoding="utf-8")
    topics.write_text(TOPICS, encoding="utf-8")
    return lyrics, topics


def test_songs_join_the_tracks_there_are_by_artist_and_title(files: tuple[Path, Path]) -> None:
    report = Report()
    lyrics, topics = read_lyrics([files[0]], report), read_topics([files[1]], report)
    row = {"track_id": "mine", "title": "River Road (2011 Remaster)", "artist": "ANN", "genre": "folk"}
    known = pl.concat([tracks_frame(), pl.DataFrame([row], schema_overrides=TRACKS)], how="diagonal")
    joined = join(known, lyrics, topics)
    assert joined.columns == list(TRACKS)
    rows = {row["track_id"]: row for row in joined.iter_rows(named=True)}
    assert set(rows) == {"mine", "Bob, Jr.␟Home", "Cid␟New"}
    assert rows["mine"]["lyrics"] == "down the road\nby the river"
    assert rows["mine"]["labels"] == '{"topic":"night/time"}'
    assert (rows["mine"]["genre"], rows["mine"]["year"]) == ("folk", 1999)
    assert rows["Cid␟New"]["labels"] == '{"topic":"sadness"}'
    assert report.bad == 1


def test_scores_of_topics_are_never_read(files: tuple[Path, Path]) -> None:
    assert "0.9" not in str(read_topics([files[1]], Report()).rows())


def test_a_file_without_the_columns_is_refused_by_name(files: tuple[Path, Path]) -> None:
    with pytest.raises(Fatal, match=r"songs\.csv: no column artist_name, track_name, lyrics, topic"):
        read_topics([files[0]], Report())


SONG = "the lamp went out along the quay and nobody came to light it again"
HEAD = "artist_name,track_name,release_date,genre,lyrics,topic\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{HEAD}Ann,Home,1999,pop,down the road,sadness\nCid,Quay,2001,pop,"{SONG},sadness\n', "not readable as CSV"),
        (f"Cid,Quay,2001,pop,{SONG},sadness\nAnn,Home,1999,pop,down the road,sadness\n", "no column artist_name"),
        ("", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_without_a_word_of_its_songs(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "topics.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Fatal, match=said) as refused:
        read_topics([file], Report())
    told = "".join(traceback.format_exception(refused.value))
    assert SONG[20:] not in told
    assert str(file) in told


SONG_COMMA = "the lamp went out along the quay, and nobody came to light it again"


@pytest.mark.parametrize(
    ("read", "head", "bad", "good"),
    [
        (read_topics, HEAD, f"Zed,Quay,1999,pop,{SONG_COMMA},sadness", "Ann,Home,1999,pop,down the road,sadness"),
        (read_lyrics, "artist,song,link,text\n", f"Zed,Quay,/z,{SONG_COMMA}", "Ann,Home,/a,down the road,"),
        (read_lyrics, "\nartist,song,link,text\n", f"Zed,Quay,/z,{SONG_COMMA},,", 'Ann,Home,/a,"down the road"'),
    ],
)
def test_a_row_of_too_many_fields_is_a_bad_line_and_told_without_its_text(
    tmp_path: Path, read: Read, head: str, bad: str, good: str
) -> None:
    file, told = tmp_path / "songs.csv", list[str]()
    file.write_text(f"{head}{good}\n{bad}\n", encoding="utf-8")
    report = Report(lambda problem: told.append(str(problem)))
    found = read([file], report)
    assert found["lyrics"].to_list() == ["down the road"]
    assert report.bad == 1
    assert len(told) == 1
    assert "songs.csv: row 3: has more fields than the" in told[0]
    assert "lamp" not in told[0]
    assert "nobody" not in told[0]
