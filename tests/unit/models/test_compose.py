"""The dial, the cap and the merging of editions, on candidates made by hand."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import Catalogue
from models.compose import Caps, Composer, Pick, falling
from models.ranker.merge import Merged
from models.sources.base import BEGUN, KNOWN, UNSEEN
from models.sources.shelf import Shelf
from tests.unit.scorer.worlds import frame


def shelf(titles: list[tuple[str, str]]) -> Shelf:
    return Shelf(Catalogue(frame(titles)))


SIXTY = shelf([(f"Song {row}", f"Artist {row}") for row in range(60)])


def compose(
    on: Shelf, known: Sequence[int], new: Sequence[int], n: int, familiar: float | None = 0.5, cap: int = 3
) -> list[Pick]:
    """A list of these rows, each lane best first; the dial must not care that all known score below all new."""
    rows = np.array([*new, *known], dtype=np.int64)
    order = np.argsort(rows)
    scores, old = 1.0 / (1.0 + np.arange(len(rows))), np.arange(len(rows)) >= len(new)
    places = np.arange(len(rows))
    merged = Merged(rows[order], places[order] % 2, places[order], np.zeros(len(rows)))
    return Composer(on, familiar, Caps(cap)).compose(merged, scores[order], np.where(old[order], KNOWN, UNSEEN), n)


def rows(picks: list[Pick]) -> list[int]:
    return [pick.row for pick in picks]


@pytest.mark.parametrize("familiar", [0.0, 0.1, 0.25, 0.5, 0.8, 1.0])
def test_the_dial_holds_for_every_beginning_of_the_list(familiar: float) -> None:
    picks = compose(SIXTY, range(30), range(30, 60), 20, familiar)
    for first in range(1, 21):
        known = sum(pick.row < 30 for pick in picks[:first])
        assert abs(known - familiar * first) <= 1


def test_the_dial_holds_on_a_list_that_is_longer_than_the_cap_of_kinds() -> None:
    merged = Merged(np.arange(60), np.zeros(60, dtype=np.int64), np.arange(60), np.zeros(60))
    kinds = np.array([KNOWN] * 40 + [BEGUN] * 10 + [UNSEEN] * 10)
    picks = Composer(SIXTY, 0.8, Caps(kind=10)).compose(merged, -np.arange(60.0), kinds, 50)
    assert sum(pick.row < 40 for pick in picks) == 40


def test_the_dial_counts_what_the_list_has_not_what_the_cap_left_out() -> None:
    ten_of_one = shelf([(f"Song {row}", "The Gulls" if row < 10 else f"Artist {row}") for row in range(60)])
    picks = compose(ten_of_one, range(30), range(30, 60), 20, 0.8)
    assert sum(pick.row < 30 for pick in picks) == 16


def test_without_the_dial_the_scores_say_what_comes() -> None:
    assert rows(compose(SIXTY, [4, 2], [9, 7, 8], 5, None)) == [9, 7, 8, 4, 2]
    (pick, *_) = compose(SIXTY, [4, 2], [9, 7, 8], 5, None)
    assert pick.score == 1.0


def test_equal_scores_are_told_apart_by_the_row() -> None:
    column = np.array([3, 5, 8])
    merged = Merged(column, np.zeros(3, np.int64), np.arange(3), np.zeros(3))
    picks = Composer(SIXTY, None, Caps(3)).compose(merged, np.array([1.0, 2.0, 1.0]), np.full(3, UNSEEN), 3)
    assert rows(picks) == [5, 3, 8]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@given(st.lists(st.integers(-3, 3) | st.floats(-1e9, 1e9, width=32), max_size=300))
def test_candidates_are_put_in_the_order_of_a_stable_sort(kind: type[np.floating], values: list[float]) -> None:
    scores = np.array(values, dtype=kind)
    assert falling(scores).tolist() == np.argsort(-scores, kind="stable").tolist()


@pytest.mark.parametrize("familiar", [None, 0.0, 0.3, 1.0])
def test_scores_fall(familiar: float | None) -> None:
    picks = compose(SIXTY, range(30), range(30, 60), 60, familiar)
    scores = [pick.score for pick in picks]
    assert len(picks) == 60
    assert scores == sorted(scores, reverse=True)


def test_a_lane_that_runs_out_is_made_up_for_by_the_other() -> None:
    assert rows(compose(SIXTY, [1], range(30, 40), 8)) == [1, *range(30, 37)]
    assert rows(compose(SIXTY, range(10), [], 8, familiar=0.0)) == list(range(8))


@pytest.mark.parametrize("familiar", [None, 0.5])
def test_an_artist_has_at_most_so_many_tracks_over_both_lanes(familiar: float | None) -> None:
    two = shelf([(f"Song {row}", "The Gulls" if row % 2 else "Anna") for row in range(20)])
    picks = compose(two, range(10), range(10, 20), 20, familiar, cap=3)
    assert sum(pick.row % 2 for pick in picks) == 3
    assert len(picks) == 6
    assert len(compose(two, range(10), range(10, 20), 20, familiar, cap=0)) == 20


@pytest.mark.parametrize("familiar", [None, 0.5])
def test_an_edition_of_a_song_that_is_in_the_list_already_is_left_out(familiar: float | None) -> None:
    songs = shelf([("Harbour", "The Gulls"), ("Harbour (Live)", "The Gulls"), ("Harbour", "Anna")])
    assert rows(compose(songs, [], [1, 0, 2], 3, familiar)) == [1, 2]


@pytest.mark.parametrize("familiar", [None, 0.5])
def test_nothing_to_compose_is_an_empty_list(familiar: float | None) -> None:
    assert compose(SIXTY, [], [], 10, familiar) == []


@pytest.mark.parametrize("familiar", [None, 0.5])
def test_a_pick_points_back_at_its_candidate(familiar: float | None) -> None:
    given = [20, 8, 9, 7, 31]
    picks = compose(SIXTY, given[3:], given[:3], 5, familiar)
    assert sorted(rows(picks)) == sorted(given)
    assert all(given[pick.position] == pick.row and pick.source == pick.position % 2 for pick in picks)


def test_a_mix_of_one_kind_holds_no_other_and_knows_no_cap() -> None:
    merged = Merged(np.arange(9), np.zeros(9, dtype=np.int64), np.arange(9), np.zeros(9))
    kinds = np.array([KNOWN] * 4 + [BEGUN] * 3 + [UNSEEN] * 2)
    for kind, held in ((KNOWN, [0, 1, 2, 3]), (UNSEEN, [7, 8])):
        picks = Composer(SIXTY, None, Caps(kind=1), kind).compose(merged, -np.arange(9.0), kinds, 9)
        assert rows(picks) == held


def test_a_long_list_runs_on_to_other_kinds() -> None:
    merged = Merged(np.arange(9), np.zeros(9, dtype=np.int64), np.arange(9), np.zeros(9))
    kinds = np.array([KNOWN] * 4 + [BEGUN] * 3 + [UNSEEN] * 2)
    picks = Composer(SIXTY, None, Caps(kind=2)).compose(merged, -np.arange(9.0), kinds, 9)
    assert rows(picks) == [0, 1, 4, 5, 7, 8]
    assert len(Composer(SIXTY, None, Caps()).compose(merged, -np.arange(9.0), kinds, 9)) == 9


def test_a_release_is_one_artists_and_capped_where_it_is_known() -> None:
    titles = [(f"Song {row}", "Anna" if row < 6 else "Ben") for row in range(8)]
    albums = ["One", "One", None, "One", "", None, "One", "One"]
    on = Shelf(Catalogue(frame(titles).with_columns(release=pl.Series(albums))))
    merged = Merged(np.arange(8), np.zeros(8, dtype=np.int64), np.arange(8), np.zeros(8))
    for cap, held in ((0, list(range(8))), (1, [0, 2, 4, 5, 6]), (2, [0, 1, 2, 4, 5, 6, 7])):
        picks = Composer(on, None, Caps(release=cap)).compose(merged, -np.arange(8.0), np.full(8, UNSEEN), 8)
        assert rows(picks) == held
