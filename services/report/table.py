"""How a report looks on a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.evaluation.bootstrap import Ratio
from services.report.figures import FEWEST, TOP, Apart, Line, Report, Share

HEADINGS = ("listens", "listeners", f"hit@{TOP}", "hit, whole list", "hits skipped", "all skipped")


def table(found: Report) -> RenderableType:
    """Everything, the whole above its parts."""
    parts: list[RenderableType] = [
        Text(
            f"{found.all.listens:,} plays and skips of {found.all.listeners:,} listeners, each held against the list "
            "that stood just before it; below: 95 % intervals"
        ),
        _lines("by who chose the track", found.chosen),
        _lines("by day (UTC)", found.days, found.all),
        _sources(found.sources),
        _lines("by release", found.releases),
        _lines("by variant", found.variants),
    ]
    if found.apart is not None:
        parts.append(_apart(found.apart))
    spaced = [each for part in parts for each in (part, Text())]
    return Group(*spaced, *(Text(line, "yellow") for line in _notes(found)))


def _lines(title: str, lines: Sequence[Line], whole: Line | None = None) -> Table:
    shown = _table(title, HEADINGS)
    for line in lines:
        shown.add_row(line.name, *_cells(line))
    if whole is not None:
        shown.add_row(whole.name, *_cells(whole), style="bold")
    return shown


def _sources(lines: Sequence[Line]) -> Table:
    shown = _table(
        "by source: of all listens, those that hit a track it brought", (*HEADINGS[2:4], "hits", HEADINGS[4])
    )
    for line in lines:
        shown.add_row(line.name, _cell(line.hit_top), _cell(line.hit), f"{line.hit.hits:,}", _cell(line.skipped_hits))
    return shown


def _apart(apart: Apart) -> Table:
    hits = apart.hit
    redrawn = "" if hits.low is None else ", redrawn"
    shown = _table(
        f"a less b, in percentage points: {hits.first:,} and {hits.second:,} listeners{redrawn}", HEADINGS[2:]
    )
    shown.add_row("a − b", *(_points(each) for each in (apart.hit_top, apart.hit, apart.skipped_hits, apart.skipped)))
    return shown


def _table(title: str, headings: Sequence[str]) -> Table:
    shown = Table(title=title, title_justify="left", box=None)
    shown.add_column("")
    for heading in headings:
        shown.add_column(heading, justify="right", no_wrap=True)
    return shown


def _cells(line: Line) -> list[str]:
    shares = (line.hit_top, line.hit, line.skipped_hits, line.skipped)
    return [f"{line.listens:,}", f"{line.listeners:,}", *map(_cell, shares)]


def _cell(share: Share) -> str:
    if share.share is None or share.low is None or share.high is None:
        return "-"
    return f"{100 * share.share:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f})"


def _points(apart: Ratio) -> str:
    if apart.low is None or apart.high is None:
        return f"{100 * apart.difference:+.1f}"
    return f"{100 * apart.difference:+.1f} ({100 * apart.low:+.1f} to {100 * apart.high:+.1f})"


def _notes(found: Report) -> list[str]:
    notes = []
    if found.apart is not None and found.apart.hit.low is None:
        notes.append(f"fewer than {FEWEST} listeners of a variant: nothing is said of how sure the difference is")
    if found.in_both:
        notes.append(
            f"{found.in_both:,} listeners had lists of both variants: the share or the salt was changed in this time; "
            "a comparison is fair from then on (--since)"
        )
    if found.unreadable:
        notes.append(f"{found.unreadable:,} messages of the topic are no outcomes and were left out")
    return notes
