"""`segue pick` and `segue lyrics …` on a release made by hand."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
import pytest

from models.lyrics.part import NEEDED
from models.release import Release
from models.sources.base import Listener
from services.cli import lyrics
from services.lyrics import judging
from services.lyrics.english import LeftOut
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


def worked(*_: object) -> NoReturn:
    pytest.fail("it worked first")


@pytest.mark.parametrize(
    ("command", "option", "work"),
    [
        (("lyrics", "evaluate", "topics.csv", "--picture"), "--picture", "services.importer.lyrics.read_topics"),
        (("lyrics", "map"), "OUT", "services.cli.lyrics._asked"),
    ],
)
def test_a_picture_that_cannot_be_drawn_or_written_is_refused_first(
    segue: Segue, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], option: str, work: str
) -> None:
    monkeypatch.setattr(work, worked)
    said = segue(*command, "no/picture.svg")
    assert said.code == 2
    assert f"for {option}: no/picture.svg: there is no folder no; make it first" in said.one_line
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = segue(*command, "picture.svg")
    assert said.code == 1
    assert said.err.splitlines()[-1].endswith("a picture needs matplotlib: pip install 'segue[evaluate]'")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_what_was_judged_is_told_though_its_picture_fails(
    segue: Segue, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    for package in ("matplotlib", "torch", "sklearn"):
        pytest.importorskip(package, reason="needs segue[evaluate,lyrics,neural]")
    from models.lyrics.judge import Comparison, Contender

    linear = Contender("linear", 0.5, 0.1, 0.5, 0.1, 0.4, "war", {}, 0.0, [], [[3, 1], [2, 3]])

    def judged(*_: object) -> tuple[Comparison, LeftOut]:
        Path("pictures").rmdir()  # in the meantime
        return Comparison(["love", "war"], 9, 1, 3, "linear", [linear]), LeftOut(1, 0)

    monkeypatch.setattr(judging, "judge_topics", judged)
    Path("pictures").mkdir()
    Path("topics.csv").write_text("artist_name,track_name,lyrics,topic\nBand,Song,some words,love\n")
    said = segue("lyrics", "evaluate", "topics.csv", "--picture", "pictures/a.svg", *arguments)
    assert said.code == 1
    assert "left out: 1 song in another language, 0 with" in said.err
    assert "pictures/a.svg" in said.err.splitlines()[-1]
    if arguments:
        assert json.loads(said.out)["shipped"] == "linear"
        assert json.loads(said.out)["left_out"] == {"other_languages": 1, "same_words": 0}
    else:
        assert "linear (shipped)" in said.out
