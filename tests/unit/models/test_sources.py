"""What each source proposes, and what all of them must keep to."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from models.audio.part import Sounds as Part
from models.catalogue import Catalogue
from models.neighbours.table import EMPTY
from models.profile import ProfileView
from models.release import Release
from models.sources.als import Als
from models.sources.around import Around
from models.sources.artists import Artists
from models.sources.base import Candidates, Source
from models.sources.history import History
from models.sources.lyrics import Lyrics
from models.sources.neighbours import NO_CAUSE as NO_NEIGHBOUR
from models.sources.neighbours import Neighbours
from models.sources.new import New, new_rows
from models.sources.popular import REASON, Popular
from models.sources.recent import Recent
from models.sources.sequence import OwnSequence
from models.sources.sessions import Sessions
from models.sources.settings import SOURCES, BadSources, ListSettings
from models.sources.shelf import Shelf
from models.sources.similar import Similar
from models.sources.sounds import Sounds
from models.sources.transitions import Transitions
from models.sources.trending import Trending, trending_rows
from tests.unit.models.audio.worlds import write_sounds
from tests.unit.models.listeners import DAY, TWELVE, batch, line, propose, read, rows, thirty
from tests.unit.models.lyrics.worlds import part
from tests.unit.scorer.worlds import (
    NOON,
    Links,
    checkerboard_parts,
    frame,
    listen,
    make_release,
    player_of,
    table,
    view,
)

# --- history


def test_history_proposes_what_weighs_most_and_says_when_it_was_played() -> None:
    plays = [listen("t4", NOON + at * DAY) for at in range(3)] + [listen("t9", NOON + 4 * DAY)]
    proposed = propose(History(), thirty(), view(plays))
    assert rows(proposed) == [4, 9]
    assert proposed.reasons([0, 1]) == [
        "You have played it 3 times, last 2 days ago",
        "You have played it once, last 1 minute ago",
    ]


def test_history_leaves_out_what_was_skipped_more_than_liked() -> None:
    plays = [listen("t4", NOON, "skip", ms_played=0), listen("t9", NOON)]
    assert rows(propose(History(), thirty(), view(plays))) == [9]


def test_a_track_that_was_only_loved_is_history_too() -> None:
    proposed = propose(History(), thirty(), view([listen("t4", NOON, "love")]))
    assert proposed.reasons([0]) == ["You loved it"]


# --- popular


def test_popular_is_the_head_of_the_catalogue_without_what_the_listener_knows() -> None:
    proposed = propose(Popular(thirty(), artist_cap=2), thirty(), player_of([0, 4]), quota=5)
    assert rows(proposed) == [1, 3, 6, 7, 9]
    assert proposed.reasons([3]) == [REASON]


def test_popular_looks_further_for_who_knows_the_head() -> None:
    proposed = propose(Popular(thirty(), artist_cap=3), thirty(), player_of(range(28)), quota=5)
    assert rows(proposed) == [28, 29]


def test_another_edition_of_a_known_song_is_not_new() -> None:
    shelf = Shelf(Catalogue(frame([("Tide (Live)", "Anna"), ("Tide", "Anna"), ("Ebb", "Anna")])))
    assert rows(propose(Popular(shelf, 3), shelf, player_of([1]))) == [2]


# --- recent


def test_recent_proposes_what_was_heard_last_skipped_or_not() -> None:
    plays = [listen("t4", NOON), listen("t9", NOON + 60), listen("t7", NOON + DAY, "skip", ms_played=0)]
    again = [listen("t4", NOON + 2 * DAY), listen("elsewhere", NOON + 3 * DAY)]
    proposed = propose(Recent(), thirty(), view(plays + again))
    assert rows(proposed) == [4, 7, 9]
    assert proposed.reasons([0, 2]) == ["You heard it 24 hours ago", "You heard it 2 days ago"]


def test_recent_looks_behind_what_was_just_played() -> None:
    shelf = thirty()
    listeners = read(shelf, player_of(range(10)), just_played=3)
    assert rows(Recent().candidates(batch(shelf, listeners), 4)[0]) == [6, 5, 4, 3]


# --- sequence


def test_sequence_proposes_what_the_listener_went_on_with(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    evening = [listen(track, NOON + at * 60) for at, track in enumerate(["t1", "t2", "t3"])]
    proposed = propose(OwnSequence(release), Shelf(release.catalogue), view([*evening, listen("t1", NOON + DAY)]))
    assert rows(proposed) == [2, 3]
    assert proposed.reasons([0, 1]) == ["You have gone on with it after “Song 1”"] * 2


def test_sequence_names_no_track_that_the_release_does_not_know(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    evening = [listen(track, NOON + at * 60) for at, track in enumerate(["t1", "t2", "t3"])]
    later = [listen("t1", NOON + DAY), listen("elsewhere", NOON + DAY + 60)]
    proposed = propose(OwnSequence(release), Shelf(release.catalogue), view(evening + later))
    assert rows(proposed)[0] == 3
    assert proposed.reasons([0]) == ["You have gone on with it from about here before"]


def test_sequence_names_the_newest_track_only_for_what_came_soon_after_it(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    evening = [listen(f"t{row}", NOON + at * 60) for at, row in enumerate([1, 2, 3, 4, 5])]
    proposed = propose(OwnSequence(release), Shelf(release.catalogue), view([*evening, listen("t1", NOON + DAY)]))
    said = dict(zip(rows(proposed), proposed.reasons(range(len(rows(proposed)))), strict=True))
    assert said[4] == "You have gone on with it after “Song 1”"
    assert said[5] == "You have gone on with it from about here before"


# --- transitions


def test_transitions_proposes_what_others_play_after_the_last_plays(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    shelf = Shelf(release.catalogue)
    listeners = read(shelf, player_of([3, 0]), view([listen("t0", NOON), listen("elsewhere", NOON + 1)]), None)
    links: Links = {0: {5: 0.4, 7: 0.5}, 3: {9: 0.5, 8: 0.9}}
    one, odd, stranger = Transitions(release).candidates(batch(shelf, listeners, followers=links), 3)
    assert rows(one) == [8, 7, 5]  # 0.9 and 0.5 fade to 0.6 of that, the play before
    assert one.reasons([0, 1]) == ["Often played after what you are playing", "Often played after “Song 0”"]
    assert (rows(odd), odd.reasons([0])) == ([7, 5], ["Often played after what you are playing"])
    assert rows(stranger) == []


# --- neighbours


def test_neighbours_proposes_unheard_tracks_around_the_last_plays_and_the_strongest(tmp_path: Path) -> None:
    links: Links = {0: {1: 0.9, 2: 0.8, 3: 0.7}, 1: {0: 0.9, 4: 0.3}, 2: {5: 0.2, 6: 0.1}}
    release = make_release(tmp_path / "r", TWELVE, np.zeros((0, 2), np.float32), neighbours=links)
    shelf = Shelf(release.catalogue)
    often = [listen("t0", NOON + at * DAY) for at in range(20)]
    listeners = read(shelf, view([*often, listen("t1", NOON + 21 * DAY)]))
    (proposed,) = Neighbours(release).candidates(batch(shelf, listeners, neighbours=links), 4)
    assert rows(proposed) == [2, 3]  # near and liked alike; 1 and 0 are known
    (proposed,) = Neighbours(release).candidates(batch(shelf, listeners, neighbours=links), 6)
    assert set(rows(proposed)) == {2, 3, 4}
    reasons = dict(zip(rows(proposed), proposed.reasons([0, 1, 2]), strict=True))
    assert reasons == {row: f"Others play it around “Song {0 if row < 4 else 1}”" for row in (2, 3, 4)}


def test_neighbours_never_names_a_track_that_is_banned_or_disliked(tmp_path: Path) -> None:
    links: Links = {0: {5: 0.9}, 1: {5: 0.8}, 2: {5: 0.1}}
    release = make_release(tmp_path / "r", TWELVE, np.zeros((0, 2), np.float32), neighbours=links)
    shelf = Shelf(release.catalogue)
    plays = [listen("t0", NOON), listen("t1", NOON + 1, "skip", ms_played=0), listen("t2", NOON + 2)]
    ban = [listen("t0", NOON + 3, "ban")]
    for given, cause in ((plays + ban, "Others play it around “Song 2”"), (plays[1:2], NO_NEIGHBOUR)):
        listeners = read(shelf, view(given))
        (proposed,) = Neighbours(release).candidates(batch(shelf, listeners, neighbours=links), 4)
        assert (rows(proposed), proposed.reasons([0])) == ([5], [cause])


# --- artists


def artists_of(shelf: Shelf, catalogue: Catalogue, *views: ProfileView | None, quota: int = 10) -> list[Candidates]:
    release = SimpleNamespace(catalogue=catalogue)
    return Artists(release, shelf).candidates(batch(shelf, read(shelf, *views)), quota)  # type: ignore[arg-type]


def test_artists_proposes_unheard_tracks_of_the_artists_now_then_of_the_liked_in_turn() -> None:
    shelf = thirty()
    often = [listen("t0", NOON + at * 60) for at in range(5)]
    late = [listen(f"t{row}", NOON + DAY + row) for row in (9, 12, 15)]
    filler = [listen(f"t{row}", NOON + DAY + 60 + at) for at, row in enumerate([15, 12, 9] * 3)]
    proposed, stranger = artists_of(shelf, shelf.catalogue, view(often + late + filler), None, quota=6)
    assert rows(proposed) == [10, 13, 16, 1, 11, 14]  # newest artist first; the first of each, then the second
    assert proposed.reasons([0, 3]) == ["More by Artist 3, whom you play", "More by Artist 0, whom you play"]
    assert rows(stranger) == []


def test_artists_leaves_out_what_nobody_played_and_artists_that_are_not_liked() -> None:
    silent = frame([("Tide", "Anna"), ("Ebb", "Anna"), ("Pier", "Anna"), ("Gull", "Ben"), ("Sand", "Ben")])
    heard = pl.Series([5, 4, 0, 3, 2], dtype=pl.UInt32)
    silent = silent.with_columns(listeners=heard).sort("listeners", descending=True)
    catalogue = Catalogue(silent)  # rows: Tide, Ebb, Gull, Sand, Pier
    shelf = Shelf(catalogue)
    skip = [listen("t3", NOON - DAY, "skip", ms_played=0)]
    plays = [listen("t0", NOON + at) for at in range(12)]  # Ben is not among the last twelve
    assert rows(artists_of(shelf, catalogue, view(skip + plays))[0]) == [1]
    bans = [listen("t0", NOON + 20, "ban", "Anna", scope="artist")]
    assert rows(artists_of(shelf, catalogue, view(skip + plays + bans))[0]) == []


# --- similar artists, new tracks, trending ones


def test_similar_proposes_artists_never_met_and_says_beside_whom_they_are_played(tmp_path: Path) -> None:
    titles = [(f"Song {row}", f"Artist {row // 3}") for row in range(12)]
    release = make_release(tmp_path / "r", titles, np.zeros((0, 1), np.float32))
    release.beside = table(12, {0: {3: 0.9, 6: 0.5, 9: 0.2}, 3: {9: 0.2}})  # rows are the artists' first ones
    shelf = Shelf(release.catalogue)
    seen = view([listen("t0", NOON + at * 60) for at in range(8)] + [listen("t3", NOON + DAY)])
    proposed = Similar(release, shelf).candidates(batch(shelf, read(shelf, seen)), 4)[0]
    assert rows(proposed) == [6, 7, 8, 9]  # of Artist 1 one track was played: not similar but known
    assert proposed.reasons([0, 3]) == ["Others play this artist beside Artist 0"] * 2
    again = view([listen("t0", NOON), *(listen("t3", NOON + at * 60) for at in range(1, 9))])
    proposed = Similar(release, shelf).candidates(batch(shelf, read(shelf, again)), 9)[0]
    assert proposed.reasons([rows(proposed).index(9)]) == ["Others play this artist beside Artist 1"]


def test_a_release_of_an_earlier_version_knows_neither_similar_artists_nor_new_tracks() -> None:
    shelf = thirty()
    release = SimpleNamespace(catalogue=shelf.catalogue, beside=EMPTY)
    asked = batch(shelf, read(shelf, player_of(range(5)), None))
    for source in (Similar(release, shelf), New(release, shelf)):  # type: ignore[arg-type]
        assert [rows(each) for each in source.candidates(asked, 5)] == [[], []]


def test_new_proposes_what_was_first_played_of_late_of_artists_that_are_liked() -> None:
    first = [NOON - 100 * DAY] * 30
    for row, days in {1: 3, 2: 40, 4: 27, 5: 2, 20: 1}.items():
        first[row] = NOON - days * DAY
    years = [2023 if row == 5 else 2003 if row == 4 else None for row in range(30)]
    titles = [(f"Song {row}", f"Artist {row // 3}") for row in range(30)]
    catalogue = Catalogue(
        frame(titles).with_columns(first_heard=pl.Series(first), year=pl.Series(years, dtype=pl.Int32))
    )
    shelf = Shelf(catalogue)
    seen = view([listen("t0", NOON), *(listen("t3", NOON + at * 60) for at in range(1, 4))])
    release = SimpleNamespace(catalogue=catalogue)
    proposed = New(release, shelf).candidates(batch(shelf, read(shelf, seen)), 9)[0]  # type: ignore[arg-type]
    assert rows(proposed) == [5, 1]  # 4 is of 2003, 2 was heard earlier, 20 is of nobody they play
    assert proposed.reasons([0]) == ["New by Artist 1, whom you play"]
    short = catalogue.frame.with_columns(first_heard=pl.col("first_heard").clip(NOON - 50 * DAY))
    assert not len(new_rows(short))  # a history that is nearly all new tells nothing


def test_trending_proposes_what_gained_listeners_and_a_work_once() -> None:
    titles = [
        ("Tide", "Anna"),
        ("Ebb", "Anna"),
        ("Tide (Live)", "Anna"),
        ("Gull", "Ben"),
        ("Sand", "Ben"),
        ("Pier", "Ben"),
    ]
    heard = frame(titles).with_columns(
        listeners=pl.Series([100, 40, 20, 20, 10, 1], dtype=pl.UInt32),
        recent_listeners=pl.Series([20, 2, 12, 12, 9, 1], dtype=pl.UInt32),
    )
    assert trending_rows(heard).tolist() == [4, 2, 3]
    shelf = Shelf(Catalogue(heard))
    proposed, stranger = Trending(shelf).candidates(batch(shelf, read(shelf, player_of([0, 4]), None)), 5)
    assert (rows(proposed), rows(stranger)) == ([3], [4, 2, 3])  # of Tide they have heard another edition
    assert proposed.reasons([0]) == ["More listeners than usual these weeks"]


# --- what every source keeps to


def every_source(release: Release, shelf: Shelf) -> dict[str, Source]:
    return {
        "history": History(),
        "recent": Recent(),
        "sequence": OwnSequence(release),
        "around": Around(release),
        "sessions": Sessions(release),
        "transitions": Transitions(release),
        "neighbours": Neighbours(release),
        "artists": Artists(release, shelf),
        "similar": Similar(release, shelf),
        "new": New(release, shelf),
        "trending": Trending(shelf),
        "als": Als(release, 0.01),
        "lyrics": Lyrics(release),
        "popular": Popular(shelf, 3),
        "sounds": Sounds(release),
    }


ALL: Links = {row: {other: 1.0 / (1 + other) for other in range(20) if other != row} for row in range(20)}
OF_THEIR_OWN = ("history", "recent", "sequence", "around", "sessions")
UNHEARD = ("neighbours", "artists", "similar", "new", "trending", "als", "lyrics", "popular", "sounds")


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_to_quota_bans_and_batch(name: str, tmp_path: Path) -> None:
    titles, factors, als = checkerboard_parts()
    by_five = [(title, f"Artist {row if row in (17, 19) else row % 5}") for row, (title, _) in enumerate(titles)]
    release = make_release(tmp_path / "r", by_five, factors, als, ALL, ALL)
    release.beside = table(20, {0: {17: 1.0, 3: 0.9, 19: 0.5}, 3: {19: 1.0}})
    odd = np.arange(20) % 2
    release.catalogue.frame = release.catalogue.frame.with_columns(
        first_heard=pl.Series(NOON - 90 * DAY + odd * 80 * DAY), recent_listeners=pl.Series(odd * 5)
    )
    release.lyrics = part(tmp_path / "p", 20, range(20), np.random.default_rng(1).standard_normal((20, 4)))
    write_sounds(tmp_path / "r", list(range(20)))
    release.sounds = Part(tmp_path / "r", 20)
    shelf = Shelf(release.catalogue)
    source = every_source(release, shelf)[name]
    evens = [listen(f"t{row}", NOON + at - DAY * (at < 15)) for at, row in enumerate([*range(0, 20, 2)] * 2)]
    banned = [
        listen("t1", NOON + 90, "ban"),
        listen("t2", NOON + 90, "ban"),
        listen("t3", NOON + 90, "ban", "Artist 3", scope="artist"),
    ]
    listeners = read(shelf, view(evens + banned), None, player_of([5]))
    vectors = np.stack([release.factors[:20:2].sum(axis=0), np.zeros(2), release.factors[5]]).astype(np.float32)
    proposals = source.candidates(batch(shelf, listeners, vectors, ALL, ALL), 4)
    assert source.name == name
    assert len(proposals) == 3
    for proposed in proposals:
        found = rows(proposed)
        assert len(found) <= 4
        assert len(set(found)) == len(found)
        assert not found or all(proposed.reasons(list(range(len(found)))))
    found = set(rows(proposals[0]))
    assert found
    assert not {1, 2, *range(3, 20, 5)} & found
    known = set(range(0, 20, 2))
    assert name not in OF_THEIR_OWN or found <= known
    assert name not in UNHEARD or not found & known
    assert name in ("popular", "trending") or not rows(proposals[1])  # a stranger


# --- the table of sources


def test_the_table_of_sources_is_read_in_its_order() -> None:
    assert ListSettings(sources="als=2.5, history=1").quotas() == {"als": 2.5, "history": 1.0}
    off = ("similar", "new", "trending", "lyrics")  # by default
    assert tuple(ListSettings().quotas()) == tuple(name for name in SOURCES if name not in off)


@pytest.mark.parametrize("table", ["als", "als=", "als=x", "als=0", "als=-1", "als=nan", "als=101", "als=1 als=2"])
def test_a_wrong_table_of_sources_is_named(table: str) -> None:
    with pytest.raises(BadSources, match="SEGUE_LIST_SOURCES"):
        ListSettings(sources=table).quotas()
