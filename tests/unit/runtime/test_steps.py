"""How far long work is: on a terminal with times, away from one as lines or not at all."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from services.runtime.steps import one_step, steps

ROOT = Path(__file__).parents[3]
# A rate beside the bar, and a bar that appears after two seconds only: what a bar of steps.py has not.
OTHERS = {"services/importer/progress.py", "services/local/progress.py"}


def console(terminal: bool) -> tuple[Console, StringIO]:
    out = StringIO()
    return Console(file=out, force_terminal=terminal, width=120, color_system=None), out


def test_one_step_shows_what_it_does_and_its_times() -> None:
    screen, out = console(terminal=True)
    with one_step(screen, "Reading") as told:
        told(3, 12, "Counting")
    said = out.getvalue()
    assert "Counting" in said
    assert said.count("0:00:00") >= 1  # elapsed
    assert "-:--:--" in said  # remaining, which nobody knows yet


@pytest.mark.parametrize("of", [0, None])
def test_a_step_whose_end_nobody_knows_is_a_bar_all_the_same(of: float | None) -> None:
    screen, out = console(terminal=True)
    with one_step(screen, "Reading") as told:
        told(5, of)
    assert "Reading" in out.getvalue()


def test_away_from_a_terminal_one_step_says_nothing() -> None:
    screen, out = console(terminal=False)
    with one_step(screen, "Reading") as told:
        told(3, 12)
        told(0.5)
    assert out.getvalue() == ""


def test_away_from_a_terminal_steps_are_lines() -> None:
    screen, out = console(terminal=False)
    with steps(screen, {"fit": "Fitting"}, 4) as tell:
        for done in (0.0, 0.1, 0.3, 1.0):
            tell("fit", done)
    assert out.getvalue().splitlines() == ["Fitting: 0 %", "Fitting: 25 %", "Fitting: 100 %"]


def test_there_is_no_other_bar() -> None:
    files = [path for folder in ("services", "models", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    using = {path.relative_to(ROOT).as_posix() for path in files if "rich.progress" in path.read_text("utf-8")}
    assert using == {"services/runtime/steps.py", *OTHERS}
