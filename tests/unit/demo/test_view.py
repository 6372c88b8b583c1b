"""The screen of the demo shows what it is given, whatever Rich would make of it."""

from io import StringIO

from rich.console import Console

from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from services.demo.seen import Seen
from services.demo.view import View


def test_a_title_is_shown_as_it_is() -> None:
    seen, items = Seen(), [Item("t1", 1.0, "You played [it]", "history")]
    seen.newest["ann"] = Recommendations("0-1-r1", "ann", 0, 1, "r1", 2, 1, 1, items)
    seen.sent(Listen("e1", "ann", "t1", 1))
    console = Console(width=140, file=StringIO())
    console.print(View(seen, {"t1": ("Song [live] [/b]", "Band")}, "r1", "hint"))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "Song [live] [/b]" in shown
    assert "You played [it]" in shown
