"""Shares and intervals against what is known of them, and each group against counting by hand."""

import re
from io import StringIO

import msgspec
import pytest
from rich.console import Console
from scipy.stats import binomtest

from schemas.outcome import Outcome
from services.report.figures import Report, Share, of_chosen, report, wilson
from services.report.reading import Gathering
from services.report.table import table
from tests.unit.report.made import DAY, T0, outcome


def reported(*outcomes: Outcome) -> Report:
    found = Gathering()
    for each in outcomes:
        found.add(each)
    columns, repeats = found.columns()
    return report(columns, repeats, found.unreadable)


def mixed() -> Report:
    """Day 1: a hit at 3, a skipped hit at 25, a miss. Day 2, variant b, release r2: a hit at 20, a skipped miss."""
    late = {"at": T0 + DAY, "variant": "b", "release_id": "r2", "user": "ben"}
    return reported(
        outcome("e1", rank=3), outcome("e2", rank=25, kind="skip", source="history"), outcome("e3"),
        outcome("e4", rank=20, **late), outcome("e5", kind="skip", **late), outcome("e5", rank=1, **late),
    )  # fmt: skip


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (1, 1), (300, 1_000), (7, 123_456)])
def test_wilsons_interval_is_scipys(hits: int, n: int) -> None:
    found, known = wilson(hits, n), binomtest(hits, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(known.low, abs=1e-7), pytest.approx(known.high, abs=1e-7))
    assert (found.share, found.hits, found.n) == (hits / n, hits, n)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == Share(None, None, None, 0, 0)
    nothing = msgspec.to_builtins(reported())["all"]["hit"]
    assert nothing == {"share": None, "low": None, "high": None, "hits": 0, "n": 0}
    table = shown(reported(outcome("e1")))
    assert re.search(r"(?m)^ *all .*\) +-  0\.0 %", table)  # of no hit none was skipped


def test_the_whole() -> None:
    found = mixed()
    line = found.all
    assert (line.listens, line.listeners, found.repeats) == (5, 2, 1)
    assert (line.hit_top.hits, line.hit.hits) == (2, 3)  # rank 25 is not among the first 20
    assert (line.skipped_hits.hits, line.skipped_hits.n) == (1, 3)
    assert (line.skipped.hits, line.skipped.n) == (2, 5)


def test_by_day_release_and_variant() -> None:
    found = mixed()
    assert [(line.name, line.listens, line.hit.hits) for line in found.days] == [
        ("2023-12-09", 3, 2), ("2023-12-10", 2, 1)]  # fmt: skip
    assert [(line.name, line.listens, line.hit.hits) for line in found.releases] == [("r1", 3, 2), ("r2", 2, 1)]
    assert [(line.name, line.listeners, line.skipped.hits) for line in found.variants] == [("a", 1, 1), ("b", 1, 1)]


def test_sources_share_the_hits_of_all_listens_among_them() -> None:
    found = mixed()
    lines = {
        line.name: (line.hit.hits, line.hit.n, line.hit_top.hits, line.skipped_hits.hits) for line in found.sources
    }
    assert lines == {"als": (2, 5, 2, 0), "history": (1, 5, 0, 1)}
    assert [line.name for line in found.sources] == ["als", "history"]
    assert sum(line.hit.share or 0 for line in found.sources) == pytest.approx(found.all.hit.share)


def test_by_who_chose_the_track() -> None:
    """What was played from a list is a hit by construction; what the listener chose tells how good the lists are."""
    found = reported(
        outcome("e1", rank=1, chosen="list"), outcome("e2", rank=2, chosen="list"), outcome("e3", rank=3),
        outcome("e4", chosen="listener"), outcome("e5", rank=4, chosen="listener"),
    )  # fmt: skip
    assert [(line.name, line.listens, line.hit.hits) for line in found.chosen] == [
        ("by the listener", 2, 1), ("from our lists", 2, 2), ("not told", 1, 1)]  # fmt: skip
    assert [line.name for line in mixed().chosen] == ["not told"]


def test_only_of_one_choice() -> None:
    found = Gathering()
    for event, chosen in (("e1", "list"), ("e2", None), ("e3", "list")):
        found.add(outcome(event, chosen=chosen))
    columns, _ = found.columns()
    assert [len(of_chosen(columns, chosen)) for chosen in ("list", "listener")] == [2, 0]


def test_variants_differ_by_the_difference_of_their_shares() -> None:
    found = mixed().apart
    assert found is not None
    assert found.hit.difference == pytest.approx(2 / 3 - 1 / 2)
    assert found.skipped_hits.difference == pytest.approx(1 / 2)
    assert (found.hit.first, found.hit.second) == (1, 1)


def test_the_interval_of_a_difference_counts_listeners_not_listens() -> None:
    """A few busy listeners of each variant are no evidence, however many listens; many listeners are."""
    busy = reported(*(outcome(f"e{n}", user=v, variant=v, rank=1 if n % 2 or v == "b" else None)
                      for v in "ab" for n in range(500)))  # fmt: skip
    many = reported(*(outcome("e", user=f"{v}{n}", variant=v, rank=1 if n % 2 or v == "b" else None)
                      for v in "ab" for n in range(500)))  # fmt: skip
    assert busy.apart
    assert many.apart
    assert busy.apart.hit.difference == many.apart.hit.difference == pytest.approx(-0.5)
    assert busy.apart.hit.low is None
    assert busy.apart.hit.high is None
    assert many.apart.hit.low is not None
    assert many.apart.hit.low == pytest.approx(-0.544, abs=0.01)
    assert many.apart.hit.high == pytest.approx(-0.456, abs=0.01)
    assert many == reported(*(outcome("e", user=f"{v}{n}", variant=v, rank=1 if n % 2 or v == "b" else None)
                              for v in "ab" for n in range(500)))  # fmt: skip


@pytest.mark.parametrize("few", [3, 19, 20])
def test_a_few_listeners_have_no_interval(few: int) -> None:
    """Of 3 against 4 that of the redrawn left 0 far behind, by chance."""
    found = reported(*(outcome(f"e{n}", user=f"{v}{n % (few + (v == 'b'))}", variant=v, rank=1 if n % 3 else None)
                       for v in "ab" for n in range(200)))  # fmt: skip
    assert found.apart
    apart = (found.apart.hit_top, found.apart.hit, found.apart.skipped_hits, found.apart.skipped)
    assert [each.low is None and each.high is None for each in apart] == [few < 20] * 4
    text = shown(found)
    assert ("fewer than 20 listeners of a variant" in text) == (few < 20)
    assert (" to " in text.split("a − b")[1]) == (few == 20)


def test_with_one_variant_there_is_nothing_to_compare() -> None:
    assert reported(outcome("e1")).apart is None
    assert reported().apart is None


def test_a_listener_of_both_variants_is_told() -> None:
    found = reported(outcome("e1"), outcome("e2", variant="b"), outcome("e3", user="ben"))
    assert found.in_both == 1
    assert "1 listeners had lists of both variants" in shown(found)


def shown(found: Report) -> str:
    console = Console(width=140, color_system=None, file=StringIO())
    console.print(table(found))
    return console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def test_the_table_says_it_all() -> None:
    text = shown(mixed())
    for wanted in ("5 plays and skips of 2 listeners", "2023-12-10", "history", "r2", "a − b", "60.0 % (23.1–88.2)"):
        assert wanted in text
    assert "a − b" not in shown(reported(outcome("e1")))


def test_each_source_that_lists_asked_is_a_line_with_its_share() -> None:
    found = reported(
        outcome("e1", rank=3, source="lyrics"), outcome("e2", rank=4), outcome("e3", rank=9, source="lyrics"),
        outcome("e4", rank=7, kind="skip", source="lyrics"), outcome("e5"),
    )  # fmt: skip
    [lyrics] = [line for line in found.sources if line.name == "lyrics"]
    assert (lyrics.hit.hits, lyrics.hit.n, lyrics.skipped_hits.hits) == (3, 5, 1)
    drawn = Console(width=160, file=StringIO())
    drawn.print(table(found))
    assert isinstance(drawn.file, StringIO)
    assert "lyrics" in drawn.file.getvalue()
