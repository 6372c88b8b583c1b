"""The shelf, and profiles read into its rows."""

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from models.catalogue import Catalogue
from models.profile import Profile, ProfileView
from models.sources.base import Listener
from models.sources.reading import STRANGER
from models.sources.shelf import Shelf, normalised
from models.taste import UNIT, fold
from tests.unit.models.listeners import DAY, batch, read, thirty
from tests.unit.scorer.worlds import (
    NOON,
    TASTE,
    frame,
    listen,
    player_of,
    view,
)

# --- the shelf


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Harbour", "harbour"),
        ("  HARBOUR  light ", "harbour light"),
        ("Harbour (Live at the Pier)", "harbour"),
        ("Harbour [2011 Remaster]", "harbour"),
        ("Harbour - Remastered 2009", "harbour"),
        ("Harbour - 2011 Remaster", "harbour"),
        ("Harbour - Radio Edit", "harbour"),
        ("Harbour - Live", "harbour"),
        ("Harbour feat. Anna", "harbour"),
        ("Harbour (feat. Anna)", "harbour"),
        ("Harbour (Part 2)", "harbour (part 2)"),
        ("Harbour (Night Remix)", "harbour (night remix)"),
        ("Harbour - Reprise", "harbour - reprise"),
        ("Olive Tree", "olive tree"),
        ("(Live)", "(live)"),
        ("", ""),
    ],
)
def test_a_title_is_stripped_of_remarks_on_its_edition(title: str, bare: str) -> None:
    assert normalised(pl.Series([title])).to_list() == [bare]


def test_editions_of_one_artist_are_one_work_and_names_differ_only_in_more_than_case() -> None:
    shelf = Shelf(
        Catalogue(frame([("Tide", "Anna"), ("Tide (Live)", "ANNA "), ("Tide", "Ben"), ("Ebb", "Anna"), ("Tide", "")]))
    )
    assert shelf.works[0] == shelf.works[1]
    assert len(set(shelf.works.tolist())) == 4
    assert shelf.artists[0] == shelf.artists[1] == shelf.artists[3]


def test_the_head_of_the_catalogue_keeps_the_cap_and_its_order() -> None:
    titles = [("A", "x"), ("B", "x"), ("A (Live)", "x"), ("C", "y"), ("D", "x"), ("E", "y")]
    shelf = Shelf(Catalogue(frame(titles)))
    assert shelf.first_rows(2).tolist() == [0, 1, 3, 5]
    assert shelf.first_rows(9).tolist() == shelf.first_rows(0).tolist() == [0, 1, 3, 4, 5]


# --- reading


def test_weights_are_decayed_to_the_listeners_own_newest_listen() -> None:
    half_life = int(TASTE.half_life_days * DAY)
    old = view([listen("t3", NOON), listen("t5", NOON + half_life)])
    (listener,) = read(thirty(), old)
    weights = dict(zip(listener.rows.tolist(), listener.weights.tolist(), strict=True))
    assert weights == pytest.approx({3: 0.5, 5: 1.0}, abs=1 / UNIT)
    assert listener.newest == NOON + half_life


def test_old_listens_that_come_late_are_read_where_they_belong() -> None:
    new = [listen(f"t{at % 7}", NOON + 200 * at) for at in range(300)]
    late = [listen(f"t{10 + at % 7}", NOON - 10 * DAY + 200 * at) for at in range(300)]
    profile, taste = Profile(), replace(TASTE, max_recent=256, max_past=1_024)
    for offset, event in enumerate([*new, *late]):  # by then newer ones have been sealed
        fold(profile, event, offset, taste)
    (listener,) = read(thirty(), ProfileView(profile.encode()))
    assert profile.past
    assert listener.recent.tolist() == [*(10 + at % 7 for at in range(300)), *(at % 7 for at in range(300))]
    assert (np.diff(listener.recent_times) > 0).all()


def test_strangers_and_listeners_keep_their_places_in_a_batch() -> None:
    one, two = player_of([1]), player_of([2, 4])
    read_ = read(thirty(), None, one, None, view([]), two)
    assert [listener.rows.tolist() for listener in read_] == [[], [1], [], [], [2, 4]]
    assert read_[0] is STRANGER


def test_tracks_that_the_release_does_not_know_are_left_out() -> None:
    (listener,) = read(thirty(), view([listen("elsewhere", NOON), listen("t7", NOON)]))
    assert listener.rows.tolist() == [7]


def test_what_is_banned_says_nothing_of_taste() -> None:
    plays = [listen(f"t{row}", NOON, artist=f"Artist {row // 3}") for row in (0, 3, 6)]
    bans = [listen("t0", NOON + 1, "ban"), listen("t3", NOON + 1, "ban", "Artist 1", scope="artist")]
    (listener,) = read(thirty(), view([*plays, *bans]))
    assert dict(zip(listener.rows.tolist(), (listener.weights > 0).tolist(), strict=True)) == {
        0: False,
        3: False,
        6: True,
    }


@pytest.mark.parametrize(
    ("plays", "minutes", "dropped"), [(0, 0, set()), (2, 0, {28, 29}), (0, 3, {27, 28, 29}), (1, 3, {27, 28, 29})]
)
def test_just_played_counts_plays_or_minutes_whichever_reaches_further(
    plays: int, minutes: int, dropped: set[int]
) -> None:
    shelf = thirty()
    listener = read(shelf, player_of(range(30), step=70), just_played=plays, just_played_minutes=minutes)[0]
    assert set(listener.works.tolist()) == set(shelf.works[sorted(dropped)].tolist())


# --- what a batch allows


def test_a_banned_artists_tracks_are_not_allowed_and_a_gap_is_no_track() -> None:
    shelf = thirty()
    (listener,) = read(shelf, view([listen("t4", NOON), listen("t3", NOON, "ban", "ARTIST 1", scope="artist")]))
    asked = np.array([-1, 0, 3, 4, 5, 29])
    assert batch(shelf, [listener]).allowed.keeps(0, asked).tolist() == [False, True, False, False, False, True]
    (someone,) = read(shelf, player_of([0]))
    assert batch(shelf, [someone]).unheard.keeps(0, asked).tolist() == [False, False, True, True, True, True]


def test_a_work_is_barred_in_all_its_editions() -> None:
    names = ("One", "Two (Live)", "One (Live)", "Two", "Three", "One - 2011 Remaster")
    shelf = Shelf(Catalogue(frame([(name, "Band") for name in names])))
    asked = np.arange(-1, len(names))
    some = [Listener(rows=np.array([2])), Listener(recent=np.array([-1, 3])), Listener(works=shelf.works[[4, 5]])]
    made = batch(shelf, some)
    kept = [asked[made.unheard.keeps(at, asked)].tolist() for at in range(3)]
    assert kept == [[1, 3, 4], [0, 2, 4, 5], [1, 3]]
    assert made.allowed.keeps(2, asked).tolist() == made.unheard.keeps(2, asked).tolist()
    assert [len(rows) for rows in made.allowed.first([asked, asked[:0], asked], 3)] == [3, 0, 2]
    assert [rows.tolist() for rows in made.unheard.first_of_same(asked, 2)] == [[1, 3], [0, 2], [1, 3]]
