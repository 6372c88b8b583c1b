"""`segue bench`: what cannot end well is refused before anything is measured, and what was measured is told."""

import json
from pathlib import Path

import pytest

from services.bench import growth
from services.bench.growth import Series
from services.lyrics import recording
from tests.unit.cli.conftest import Segue

SERIES = [Series("scorer", "lists/s", "users", [(10, 5.0), (100, 4.0)])]
PLOTTED = [("bench", "growth"), ("bench", "lyrics", "songs.csv")]


def measured(*_: object) -> list[Series]:
    pytest.fail("it measured first")


@pytest.mark.parametrize("command", PLOTTED, ids=lambda command: command[1])
@pytest.mark.parametrize(
    ("plot", "says"),
    [
        ("no/plot.svg", "no/plot.svg: there is no folder no; make it first"),
        (".", ". is a folder; name a file in it"),
    ],
)
def test_a_plot_that_cannot_be_written_is_refused_first(
    segue: Segue, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], plot: str, says: str
) -> None:
    Path("songs.csv").write_text("artist,song,link,text\nBand,Song,/s,some words\n")
    monkeypatch.setattr(growth, "measure", measured)
    monkeypatch.setattr(recording, "record", measured)
    said = segue(*command, "--plot", plot)
    assert said.code == 2
    assert says in said.one_line


def test_what_was_measured_is_told_though_its_plot_fails(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_the_meantime(*_: object) -> list[Series]:
        Path("plots").rmdir()
        return SERIES

    Path("plots").mkdir()
    monkeypatch.setattr(growth, "measure", in_the_meantime)
    said = segue("bench", "growth", "--plot", "plots/growth.svg", "--json")
    assert said.code == 1
    assert "plots/growth.svg" in said.err.splitlines()[-1]
    assert json.loads(said.out)[0]["unit"] == "lists/s"


def test_growth_says_that_its_json_is_an_array(segue: Segue) -> None:
    assert "One JSON array" in segue("bench", "growth", "--help").out
