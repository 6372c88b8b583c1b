"""What the record's figures say, and how they look. The contestants: tests/unit/models/lyrics/test_models.py."""

import json
from pathlib import Path

import polars as pl
import pytest
from msgspec.json import encode
from msgspec.structs import replace
from rich.console import Console
from typer.testing import CliRunner

from models.lyrics.record.run import Lap, Timed
from models.lyrics.settings import LyricsSettings
from services.cli.__main__ import app
from services.lyrics import recording
from services.lyrics.drawing import growth, table
from services.lyrics.english import LeftOut
from services.lyrics.recording import PLAIN, Record, RecordOptions, Row, _row
from tests.unit.models.lyrics.worlds import dies, tracks


def timed(songs: int, seconds: float, cpu: float, reached: bool = True) -> Timed:
    return Timed("a", songs, seconds, cpu, 1, 0.9, 0.1, reached, [Lap(1, seconds, cpu, 0.9)])


def record(*rows: Row) -> Record:
    options = RecordOptions((5_000,), ("plain", "learned"), 0.9, 9, 60.0, 100)
    return Record(list(rows), [], LeftOut(0, 0), options, LyricsSettings(), {}, 2, 0.1, {})


def test_it_is_faster_only_than_a_plain_one_that_came_as_far() -> None:
    plain = timed(5_000, 40.0, 60.0)
    row = _row("learned", timed(5_000, 2.0, 1.5), 4_000, plain)
    assert (row.times_faster, row.times_less_cpu) == (20.0, 40.0)
    assert _row("learned", timed(5_000, 2.0, 1.5), 4_000, None).times_faster is None
    assert _row("learned", timed(5_000, 2.0, 1.5, reached=False), 4_000, plain).times_less_cpu is None
    assert _row("learned", timed(5_000, 2.0, 1.5), 4_000, timed(5_000, 40.0, 60.0, reached=False)).times_faster is None


def test_growth_is_drawn_of_those_who_came_there_beside_the_original() -> None:
    pytest.importorskip("matplotlib", reason="needs segue[evaluate]")
    plain = timed(5_000, 40.0, 60.0)
    made = record(
        _row(PLAIN, plain, 4_000, plain), _row("learned", timed(5_000, 2.0, 1.5), 4_000, plain),
        _row(PLAIN, timed(9_000, 90.0, 120.0), 4_000, None),
    )  # fmt: skip
    drawn = growth(made)
    assert drawn.startswith("<?xml")
    for said in ("plain", "learned", "original, TensorFlow", "CPU seconds to recall@1 0.9"):
        assert said in drawn
    shown = Console(width=160)
    with shown.capture() as said_table:
        shown.print(table(made))
    assert "20.0 ×" in said_table.get()
    assert "40.0 ×" in said_table.get()


def test_without_lines_to_ask_for_the_table_has_a_dash_and_the_json_null() -> None:
    row = _row(PLAIN, replace(timed(5_000, 40.0, 60.0), line_recall=None), 4_000, None)
    assert json.loads(encode(row))["line_recall"] is None
    shown = Console(width=160)
    with shown.capture() as said:
        shown.print(table(record(row)))
    assert said.get().splitlines()[-1].split()[-1] == "–"


def run(monkeypatch: pytest.MonkeyPatch, tensorflow: object) -> tuple[Record, list[str]]:
    """One epoch of `learned` and `tensorflow` where tensorflow is found as this."""
    pytest.importorskip("torch", reason="needs segue[neural]")
    pytest.importorskip("simplemma", reason="needs segue[lyrics]")
    monkeypatch.setattr(recording, "find_spec", lambda _name: tensorflow)
    said: list[str] = []
    options = RecordOptions((40,), ("learned", "tensorflow"), 0.9, 1, 60.0, 20)
    settings = LyricsSettings(words="plain", vocabulary=100, dimensions=8, threads=1)
    return recording.record(tracks(30), options, settings, said.append), said


def test_without_tensorflow_it_is_skipped_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = run(monkeypatch, None)
    assert [row.contestant for row in made.rows] == ["learned"]
    assert made.skipped == ["tensorflow: not installed; pip install tensorflow"]
    assert said[1] == "skipped tensorflow: not installed; pip install tensorflow"


def test_a_tensorflow_that_ends_its_process_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make = recording._makers
    monkeypatch.setattr(recording, "_makers", lambda settings: {**make(settings), "tensorflow": dies})
    made, said = run(monkeypatch, object())
    assert [row.contestant for row in made.rows] == ["learned"]
    assert made.skipped == ["tensorflow with 40 songs: its process ended with code 3"]
    assert said[-1] == "skipped tensorflow with 40 songs: its process ended with code 3"


def test_the_command_writes_the_plot_and_the_figures(tmp_path: Path) -> None:
    for package in ("torch", "simplemma", "matplotlib"):
        pytest.importorskip(package, reason="needs segue[lyrics,neural,evaluate]")
    songs = tracks(30).select("artist", pl.col("title").alias("song"), pl.lit("").alias("link"), text="lyrics")
    songs.write_csv(tmp_path / "songs.csv")
    said = CliRunner().invoke(
        app,
        ["bench", "lyrics", str(tmp_path / "songs.csv"), "--sizes", "40,60", "--contestants", "learned", "--json",
         "--most-epochs", "30", "--plot", str(tmp_path / "lyrics-growth.svg")],
        env={"SEGUE_LYRICS_THREADS": "1", "SEGUE_LYRICS_DIMENSIONS": "16"},
    )  # fmt: skip
    assert said.exit_code == 0, f"{said.output} {said.exception!r}"
    rows = json.loads(said.stdout)["rows"]
    assert [(row["contestant"], row["songs"], row["reached"]) for row in rows] == [
        ("learned", 40, True), ("learned", 60, True)]  # fmt: skip
    drawn = (tmp_path / "lyrics-growth.svg").read_text()
    assert drawn.startswith("<?xml")
    assert "learned" in drawn


def test_no_contestant_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["bench", "lyrics", str(tmp_path / "none.csv"), "--contestants", " , "])
    assert said.exit_code == 2
    assert "names of contestants with commas between, one at least" in " ".join(said.stderr.replace("│", " ").split())
