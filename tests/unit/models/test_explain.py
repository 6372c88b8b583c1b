"""Reasons are words a listener would use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.explain import DAY, HOUR, LONGEST, MINUTE, ago, because_of, played_before


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0, "1 minute ago"),
        (59 * MINUTE, "59 minutes ago"),
        (HOUR, "1 hour ago"),
        (2 * DAY - 1, "47 hours ago"),
        (2 * DAY, "2 days ago"),
        (59 * DAY, "59 days ago"),
        (60 * DAY, "2 months ago"),
        (729 * DAY, "24 months ago"),
        (730 * DAY, "2 years ago"),
        (3_650 * DAY, "10 years ago"),
    ],
)
def test_an_age_is_told_in_one_unit(age: int, words: str) -> None:
    assert ago(age) == words


def test_a_played_track_says_how_often_and_when() -> None:
    assert played_before([12, 1, 0], [3 * DAY, 3 * DAY, 3 * DAY]) == [
        "You have played it 12 times, last 3 days ago", "You have played it once, last 3 days ago", "You loved it",
    ]  # fmt: skip


@given(st.integers(-DAY, 80 * 365 * DAY))
def test_of_a_played_track_the_age_is_as_told_of_any(age: int) -> None:
    assert played_before([2], [age]) == [f"You have played it 2 times, last {ago(age)}"]


def test_a_cause_is_named_with_its_artist_if_that_is_known() -> None:
    assert because_of("Harbour", "The Gulls") == "Because you play “Harbour” by The Gulls"
    assert because_of("Harbour", "") == "Because you play “Harbour”"


def test_an_endless_title_is_cut_so_that_a_reason_fits_its_field() -> None:
    reason = because_of("a" * 2_000, "b" * 500)
    assert len(reason) < 2 * LONGEST + 40
    assert reason.endswith("b…")
