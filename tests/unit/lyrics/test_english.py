"""Songs that are no new English ones are kept apart before English rules clean them."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from models.lyrics.settings import LyricsSettings
from services.cli.__main__ import app
from services.lyrics import judging, recording
from services.lyrics.english import LeftOut, english
from services.lyrics.recording import RecordOptions
from services.runtime.errors import Fatal
from tests.unit.models.lyrics.worlds import TOPICS, tracks

GERMAN = "Ich gehe heute Abend allein durch die alte Stadt\nund denke immer noch an dich und unsere Zeit am Meer"
SMALL = LyricsSettings(words="plain", vocabulary=100, dimensions=8, threads=1, features=200)


@pytest.fixture(autouse=True)
def packages() -> None:
    for package in ("simplemma", "py3langid", "stop_words", "snowballstemmer", "inflect"):
        pytest.importorskip(package, reason="needs segue[lyrics]")


def songs(count: int) -> pl.DataFrame:
    """So many in English, then one in German and one that says what the first says, but for case and spaces."""
    made = tracks(count + 2)
    same = made["lyrics"][0].upper().replace("\n", " \n ")
    return made.with_columns(lyrics=pl.Series([*made["lyrics"][:count], GERMAN, same]))


def test_other_languages_and_copies_are_left_out_and_counted() -> None:
    kept, left = english(songs(6))
    assert kept["track_id"].to_list() == [f"t{at}" for at in range(6)]
    assert left == LeftOut(1, 1)
    assert str(left) == "left out: 1 song in another language, 1 with the words of one before it"
    assert str(LeftOut(0, 2)) == "left out: 0 songs in another language, 2 with the words of one before them"


def test_the_record_is_of_new_english_songs() -> None:
    pytest.importorskip("torch", reason="needs segue[neural]")
    said: list[str] = []
    made = recording.record(songs(30), RecordOptions((40,), ("learned",), 0.9, 1, 60.0, 20), SMALL, said.append)
    assert [row.real_songs for row in made.rows] == [30]
    assert made.left_out == LeftOut(1, 1)
    assert said[0] == str(made.left_out)


def test_a_file_without_two_songs_to_learn_from_is_refused() -> None:
    pytest.importorskip("torch", reason="needs segue[neural]")
    short = songs(30).with_columns(lyrics=pl.lit("river road") + pl.col("title"))[:9]
    options = RecordOptions((40,), ("learned",), 0.9, 1, 60.0, 20)
    with pytest.raises(Fatal, match="0 of 9 songs are in English and have 4 words that are no stop words; name files"):
        recording.record(short, options, SMALL, lambda _: None)


def test_topics_are_judged_on_new_english_songs() -> None:
    for package in ("torch", "sklearn", "onnxscript", "vaderSentiment", "onnxruntime"):
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    labels = [f'{{"topic":"{TOPICS[at % 3]}"}}' for at in range(32)]
    # What has no topic is no song to be judged on: it must not take the place of one that says the same.
    nameless = songs(30)[:1].with_columns(track_id=pl.lit("nameless"), labels=pl.lit(None, pl.String))
    asked = pl.concat([nameless, songs(30).with_columns(labels=pl.Series(labels))])
    found, left = judging.judge_topics(asked, 1, SMALL, lambda _: None)
    assert left == LeftOut(1, 1)
    assert found.songs + found.copies == 30


def test_what_was_left_out_is_on_stderr_and_in_the_json(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs segue[neural]")
    made = songs(20).select("artist", pl.col("title").alias("song"), pl.lit("").alias("link"), text="lyrics")
    made.write_csv(tmp_path / "songs.csv")
    run = ["bench", "lyrics", str(tmp_path / "songs.csv"), "--sizes", "20", "--contestants", "learned"]
    small = {"SEGUE_LYRICS_THREADS": "1", "SEGUE_LYRICS_DIMENSIONS": "8"}
    plain, told = (CliRunner().invoke(app, [*run, *more, "--most-epochs", "1"], env=small) for more in ([], ["--json"]))
    assert "left out: 1 song in another language" in plain.stderr
    assert "20 songs, learned: epoch 1" in plain.stderr
    assert json.loads(told.stdout)["left_out"] == {"other_languages": 1, "same_words": 1}
