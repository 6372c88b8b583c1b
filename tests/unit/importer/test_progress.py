import io

from rich.console import Console

from services.importer.progress import Meter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_there_is_a_line_every_few_seconds() -> None:
    text, clock = io.StringIO(), Clock()
    with Meter(Console(file=text), clock) as meter:
        meter.begin("listens", 10_000)
        for _ in range(8):
            clock.now += 2
            meter.advance(1000)
        meter.begin("reading", None)
        clock.now += 5
        meter.at(7)
    assert text.getvalue().splitlines() == [
        "listens: 3,000 of 10,000 (500/s)",
        "listens: 6,000 of 10,000 (500/s)",
        "reading: 7 (1/s)",
    ]


def test_on_a_terminal_there_is_a_bar() -> None:
    text, clock = io.StringIO(), Clock()
    with Meter(Console(file=text, force_terminal=True, width=100), clock) as meter:
        meter.begin("listens", 10_000)
        clock.now = 2.0
        meter.advance(5000)
        meter.refresh()
    assert "5,000 of 10,000 (2,500/s)" in text.getvalue()
