import io
import time

import pytest
from rich.console import Console

from services.local import progress
from services.local.progress import Progress


def output_of(seconds: float) -> str:
    console = Console(file=io.StringIO(), force_terminal=False)
    with Progress("fetching jars", 2, console) as step:
        time.sleep(seconds)
        step.advance()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_something_quick_says_nothing() -> None:
    assert output_of(0) == ""


def test_something_slow_says_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", 0.01)

    assert output_of(0.2) == "fetching jars ...\n"
