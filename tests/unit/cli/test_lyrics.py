"""`segue pick` and `segue lyrics find` on a release made by hand."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.lyrics.part import NEEDED
from models.release import Release
from models.sources.base import Listener
from services.cli import lyrics
from tests.unit.cli.conftest import Segue
from tests.unit.models.listeners import line
from tests.unit.models.lyrics.worlds import part, tracks

LIKES = Listener(newest=9, rows=np.array([1]), weights=np.array([5.0]))


@pytest.fixture(autouse=True)
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """In force, and with a listener of whom nothing is known beside one who likes a song."""
    made = line(tmp_path / "r")
    sure = np.tile([0.8, 0.1, 0.1], (3, 1))
    made.lyrics = part(tmp_path / "part", 12, range(3), np.eye(3), probabilities=sure)
    known = {None: None, "ann": LIKES, "nobody": Listener()}
    monkeypatch.setattr(lyrics, "_asked", lambda _, user: (made, known[user]))
    return made


def test_a_song_found_by_a_line_is_told_as_one_object(segue: Segue, release: Release) -> None:
    for package in ("simplemma", "stop_words"):
        pytest.importorskip(package, reason="needs segue[lyrics]")
    said = segue("lyrics", "find", "wordb", "-n", "1", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["release_id"] == release.id
    assert [song["title"] for song in found["songs"]] == ["Song 1"]


def test_a_line_without_a_known_word_finds_nothing_and_it_says_so(segue: Segue) -> None:
    for package in ("simplemma", "stop_words"):
        pytest.importorskip(package, reason="needs segue[lyrics]")
    said = segue("lyrics", "find", "xyzzyqq", "--json")
    assert said.code == 0
    assert json.loads(said.out)["songs"] == []
    assert "no word of the line is in the songs of this release" in said.err
    assert "no word" not in segue("lyrics", "find", "wordb").err


def test_topics_of_one_artist_are_not_judged_and_it_says_what_is_needed(segue: Segue) -> None:
    for package in NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    write_topics(Path("topics.csv"), artists=1)
    said = segue("lyrics", "evaluate", "topics.csv")
    assert said.code == 1
    assert "of 1 artists: split by artist, they leave fewer than two topics to learn from; label songs" in said.one_line


def test_classifiers_are_judged_side_by_side_as_one_object_and_a_picture(segue: Segue) -> None:
    for package in (*NEEDED, "matplotlib"):
        pytest.importorskip(package, reason="needs segue[evaluate,lyrics,neural]")
    write_topics(Path("topics.csv"), artists=12)
    said = segue("lyrics", "evaluate", "topics.csv", "--seeds", "1", "--picture", "confusion.svg", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["topics"] == ["love", "night", "war"]
    assert (found["songs"], found["copies"], found["artists"]) == (36, 0, 12)
    assert [each["name"] for each in found["contenders"]] == ["linear", "paper", "tuned", "tabular"]
    assert found["shipped"] == "linear"
    assert found["contenders"][0]["macro_f1"] > 0.9
    assert "<svg" in Path("confusion.svg").read_text(encoding="utf-8")


def write_topics(file: Path, artists: int) -> None:
    """Made-up songs of three topics as a CSV with TOPICS' columns."""
    described = tracks(42).filter(pl.col("labels").is_not_null())
    described.select(
        artist_name=pl.Series([f"Artist {at % artists}" for at in range(described.height)]),
        track_name="title",
        lyrics="lyrics",
        topic=pl.col("labels").str.json_path_match("$.topic"),
    ).write_csv(file)


def test_a_listener_without_a_taste_is_told_so(segue: Segue) -> None:
    said = segue("pick", "love", "--for", "nobody", "--json")
    assert said.code == 0
    assert "nobody is not known to like any song with lyrics: ranked as for anybody" in said.err
    assert len(json.loads(said.out)["songs"]) == 3
    assert "not known" not in segue("pick", "love", "--for", "ann", "--json").err
    assert "not known" not in segue("pick", "love", "--json").err
