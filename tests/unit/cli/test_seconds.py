"""`30`, `30s`, `5m`, `1h`: how times are written on the command line."""

from pathlib import Path

import pytest
import typer

from services.cli.times import parse_seconds
from tests.unit.cli.conftest import Segue


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("0.5s", 0.5), ("5m", 300), ("1.5m", 90), ("1h", 3600), (" 7s ", 7), ("0", 0)],
)
def test_it_is_read(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5 m", "5d", "-5", "1e3", "1:30", "5mm", "five", "nan", "inf", ".5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 30s, 5m or 1h"):
        parse_seconds(text)


@pytest.mark.parametrize("command", [("demo",), ("watch", "ann")], ids=lambda command: command[0])
def test_the_command_says_how_to_write_it(segue: Segue, command: tuple[str, ...]) -> None:
    said = segue(*command, "--for", "soon")
    assert said.code == 2
    assert "'soon' is no time; write 30s, 5m or 1h" in said.one_line


@pytest.mark.parametrize(
    "command",
    [("freshness",), ("scorer",), ("release", "--listeners", "0"), ("growth", "--only", "scorer")],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("none", ["0", "0s", "0.0m"])
def test_nothing_is_measured_in_no_time(segue: Segue, command: tuple[str, ...], none: str) -> None:
    said = segue("bench", *command, "--seconds", none)
    assert said.code == 2
    assert f"Invalid value for --seconds: '{none}' is no time to measure in; write more than 0" in said.one_line


def test_songs_are_not_learned_in_no_time(segue: Segue) -> None:
    Path("songs.csv").write_text("artist,song,link,text\nBand,Song,/s,some words\n")
    said = segue("bench", "lyrics", "songs.csv", "--most", "0s")
    assert said.code == 2
    assert "Invalid value for --most: '0s' is no time to measure in" in said.one_line
