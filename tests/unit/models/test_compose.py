"""The dial, the cap and the merging of editions, on candidates made by hand."""

from pathlib import Path

import numpy as np
import pytest

from models.catalogue import Catalogue
from models.compose import Composer, Pick
from models.sources.base import NOTHING, Candidates, Lane, no_reasons
from models.sources.shelf import Shelf
from tests.unit.scorer.worlds import frame

OWN, NEW, POPULAR = range(3)
LANES: list[Lane] = ["familiar", "new", "fallback"]


def shelf(titles: list[tuple[str, str]]) -> Shelf:
    return Shelf(Catalogue(frame(titles)))


SIXTY = shelf([(f"Song {row}", f"Artist {row}") for row in range(60)])


def rows(*numbers: int) -> Candidates:
    return Candidates(np.array(numbers, dtype=np.int64), no_reasons)


def compose(on: Shelf, proposals: list[Candidates], n: int, familiar: float = 0.5, cap: int = 3) -> list[Pick]:
    return Composer(on, LANES, familiar, cap).compose(proposals, n)


@pytest.mark.parametrize("familiar", [0.0, 0.1, 0.25, 0.5, 0.8, 1.0])
def test_the_dial_holds_for_every_beginning_of_the_list(familiar: float) -> None:
    picks = compose(SIXTY, [rows(*range(30)), rows(*range(30, 60)), NOTHING], 20, familiar)
    for first in range(1, 21):
        own = sum(pick.source == OWN for pick in picks[:first])
        assert abs(own - familiar * first) <= 1


def test_scores_fall() -> None:
    picks = compose(SIXTY, [rows(*range(30)), rows(*range(30, 40)), rows(*range(40, 60))], 60, 0.3)
    scores = [pick.score for pick in picks]
    assert len(picks) == 60
    assert scores == sorted(scores, reverse=True)


def test_a_lane_that_runs_out_is_made_up_for_by_the_other() -> None:
    assert [p.row for p in compose(SIXTY, [rows(1), rows(*range(30, 40)), NOTHING], 8)] == [1, *range(30, 37)]
    assert [p.row for p in compose(SIXTY, [rows(*range(10)), NOTHING, NOTHING], 8, familiar=0.0)] == list(range(8))


def test_the_fallback_comes_after_everything_else_that_is_new() -> None:
    picks = compose(SIXTY, [NOTHING, rows(5, 6), rows(0, 1, 2)], 4)
    assert [(pick.row, pick.source) for pick in picks] == [(5, NEW), (6, NEW), (0, POPULAR), (1, POPULAR)]


def test_an_artist_has_at_most_so_many_tracks_over_all_lanes() -> None:
    two = shelf([(f"Song {row}", "The Gulls" if row % 2 else "Anna") for row in range(20)])
    picks = compose(two, [rows(*range(1, 20, 2)), rows(*range(0, 20, 2)), rows(*range(20))], 20, cap=3)
    assert sorted(pick.row for pick in picks) == [0, 1, 2, 3, 4, 5]


def test_no_track_comes_twice_even_if_every_source_brings_it() -> None:
    picks = compose(SIXTY, [rows(1, 2), rows(2, 1, 3), rows(3, 1, 4)], 10)
    assert sorted(pick.row for pick in picks) == [1, 2, 3, 4]


def test_an_edition_of_a_song_that_is_in_the_list_already_is_left_out() -> None:
    songs = shelf([("Harbour", "The Gulls"), ("Harbour (Live)", "The Gulls"), ("Harbour", "Anna")])
    assert [pick.row for pick in compose(songs, [NOTHING, rows(1, 0, 2), NOTHING], 3)] == [1, 2]


def test_nothing_to_compose_is_an_empty_list() -> None:
    assert compose(SIXTY, [NOTHING, NOTHING, NOTHING], 10) == []


def test_a_pick_points_back_at_its_candidate(tmp_path: Path) -> None:
    picks = compose(SIXTY, [rows(7, 8, 9), rows(8, 20), NOTHING], 10)
    proposals = [rows(7, 8, 9), rows(8, 20), NOTHING]
    assert all(proposals[pick.source].rows[pick.position] == pick.row for pick in picks)
