"""What each source proposes, and what all of them must keep to."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.als.settings import AlsSettings
from models.catalogue import Catalogue
from models.profile import ProfileView
from models.release import Release
from models.sources.als import NO_CAUSE, Als
from models.sources.base import Batch, Candidates, Listener, Source
from models.sources.history import History
from models.sources.popular import REASON, Popular
from models.sources.reading import STRANGER, Reader
from models.sources.settings import BadSources, ListSettings
from models.sources.shelf import Shelf, normalised
from tests.unit.scorer.worlds import NOON, TASTE, checkerboard, frame, listen, make_release, player_of, view

DAY = 86_400


def thirty() -> Shelf:
    return Shelf(Catalogue(frame([(f"Song {row}", f"Artist {row // 3}") for row in range(30)])))


def read(shelf: Shelf, *views: ProfileView | None, **settings: object) -> list[Listener]:
    chosen = ListSettings(**{"just_played": 0, "just_played_minutes": 0, **settings})  # type: ignore[arg-type]
    return Reader(shelf, chosen, TASTE.half_life_days).read(views)


def batch(shelf: Shelf, listeners: list[Listener]) -> Batch:
    return Batch(shelf, listeners, np.zeros((len(listeners), 1), dtype=np.float32))


def propose(source: Source, shelf: Shelf, seen: ProfileView, quota: int = 10) -> Candidates:
    return source.candidates(batch(shelf, read(shelf, seen)), quota)[0]


def rows(candidates: Candidates) -> list[int]:
    return candidates.rows.tolist()


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
    assert shelf.first_rows(9).tolist() == [0, 1, 3, 4, 5]


# --- reading


def test_weights_are_decayed_to_the_listeners_own_newest_listen() -> None:
    half_life = int(TASTE.half_life_days * DAY)
    old = view([listen("t3", NOON), listen("t5", NOON + half_life)])
    (listener,) = read(thirty(), old)
    assert dict(zip(listener.rows.tolist(), listener.weights.tolist(), strict=True)) == {3: 0.5, 5: 1.0}
    assert listener.newest == NOON + half_life


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


# --- what a batch allows


def test_a_banned_artists_tracks_are_not_allowed_and_a_gap_is_no_track() -> None:
    shelf = thirty()
    (listener,) = read(shelf, view([listen("t4", NOON), listen("t3", NOON, "ban", "ARTIST 1", scope="artist")]))
    asked = np.array([-1, 0, 3, 4, 5, 29])
    assert batch(shelf, [listener]).allowed(listener, asked).tolist() == [False, True, False, False, False, True]
    (someone,) = read(shelf, player_of([0]))
    assert batch(shelf, [someone]).unheard(someone, asked).tolist() == [False, False, True, True, True, True]


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


# --- als


def line(folder: Path, count: int = 12) -> Release:
    """Tracks on a fan: the nearer two rows, the nearer their directions."""
    angles = np.linspace(0, np.pi / 2, count)
    factors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return make_release(folder, [(f"Song {row}", f"Artist {row}") for row in range(count)], factors)


def als_of(release: Release, *views: ProfileView | None, quota: int = 3) -> list[Candidates]:
    shelf = Shelf(release.catalogue)
    listeners = read(shelf, *views)
    vectors = np.array(
        [
            (each.weights[:, None] * release.factors[each.rows]).sum(axis=0) if len(each.rows) else np.zeros(2)
            for each in listeners
        ],
        dtype=np.float32,
    )
    return Als(release, AlsSettings().regularization).candidates(Batch(shelf, listeners, vectors), quota)


def test_als_proposes_the_nearest_new_tracks_and_names_the_nearest_own_one(tmp_path: Path) -> None:
    (proposed,) = als_of(line(tmp_path / "r"), player_of([0, 6, 7, 8], step=1))
    assert rows(proposed) == [5, 4, 3]
    assert proposed.reasons([0]) == ["Because you play “Song 6” by Artist 6"]


class Index:
    """A FAISS index that gives what it is told to, and notes how many neighbours it was asked for."""

    def __init__(self, *rows: int) -> None:
        self.rows, self.ntotal, self.asked = rows, len(rows), []

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(k)
        return np.zeros((len(vectors), k), np.float32), np.tile(np.array(self.rows[:k]), (len(vectors), 1))


def test_als_searches_on_until_enough_of_the_nearest_are_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = line(tmp_path / "r")
    release.index = Index(*range(11, -1, -1))  # the first eight neighbours are known, whatever the vector
    monkeypatch.setattr(Als, "_width", lambda _self, _listener, quota: 2 * quota)
    proposed = als_of(release, player_of(range(4, 12)), player_of([0]), quota=1)
    assert [rows(each) for each in proposed] == [[3], [11]]
    assert release.index.asked == [2, 8, 12]  # wider for the one who needs it, never beyond the end


@pytest.mark.parametrize(("known", "width"), [(0, 200), (99, 200), (100, 400), (250, 400), (300, 800), (1_000, 1_600)])
def test_als_asks_for_more_neighbours_the_more_a_listener_knows(known: int, width: int) -> None:
    assert Als._width(Listener(rows=np.arange(known)), 100) == width


def test_als_passes_over_the_gaps_that_an_index_leaves(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    release.index = Index(5, 4, *[-1] * 10)
    assert rows(als_of(release, player_of([0]), quota=4)[0]) == [5, 4]
    assert release.index.asked == [8]  # −1 last: it has no more to give, so it is not asked again


def test_als_asks_for_no_more_neighbours_than_there_are(tmp_path: Path) -> None:
    (proposed,) = als_of(line(tmp_path / "r", 4), player_of([0]), quota=400)
    assert sorted(rows(proposed)) == [1, 2, 3]


def test_als_has_nothing_for_strangers_or_without_factors(tmp_path: Path) -> None:
    stranger, someone = als_of(line(tmp_path / "r"), None, player_of([3]))
    assert (rows(stranger), len(rows(someone))) == ([], 3)
    bare = make_release(tmp_path / "bare", [("Song", "Artist")], np.zeros((0, 2), dtype=np.float32))
    shelf = Shelf(bare.catalogue)
    vectors = np.ones((1, 2), dtype=np.float32)
    assert rows(Als(bare, 1.0).candidates(Batch(shelf, read(shelf, player_of([0])), vectors), 5)[0]) == []


def test_als_without_a_cause_says_so_plainly(tmp_path: Path) -> None:
    release = line(tmp_path / "r")
    shelf = Shelf(release.catalogue)
    (proposed,) = Als(release, 1.0).candidates(Batch(shelf, [STRANGER], np.ones((1, 2), dtype=np.float32)), 2)
    assert proposed.reasons([0, 1]) == [NO_CAUSE, NO_CAUSE]


# --- what every source keeps to


@pytest.mark.parametrize("name", ["history", "als", "popular"])
def test_every_source_keeps_to_quota_bans_and_batch(name: str, tmp_path: Path) -> None:
    release = checkerboard(tmp_path / "r")
    shelf = Shelf(release.catalogue)
    source: Source = {"history": History(), "als": Als(release, 0.01), "popular": Popular(shelf, 3)}[name]
    evens = [listen(f"t{row}", NOON + row) for row in range(0, 20, 2)]
    banned = [
        listen("t1", NOON + 90, "ban"),
        listen("t2", NOON + 90, "ban"),
        listen("t3", NOON + 90, "ban", "Artist 3", scope="artist"),
    ]
    listeners = read(shelf, view(evens + banned), None, player_of([5]))
    vectors = np.stack([release.factors[:20:2].sum(axis=0), np.zeros(2), release.factors[5]]).astype(np.float32)
    proposals = source.candidates(Batch(shelf, listeners, vectors), 4)
    assert source.name == name
    assert len(proposals) == 3
    for proposed in proposals:
        found = rows(proposed)
        assert len(found) <= 4
        assert len(set(found)) == len(found)
        assert all(proposed.reasons(list(range(len(found)))))
    assert not {1, 2, 3} & set(rows(proposals[0]))
    assert rows(proposals[0])
    known = set(range(0, 20, 2))
    assert known >= set(rows(proposals[0])) if source.lane == "familiar" else not known & set(rows(proposals[0]))


# --- the table of sources


def test_the_table_of_sources_is_read_in_its_order() -> None:
    assert ListSettings(sources="als=2.5, history=1").quotas() == {"als": 2.5, "history": 1.0}
    assert list(ListSettings().quotas()) == ["history", "als", "popular"]


@pytest.mark.parametrize("table", ["als", "als=", "als=x", "als=0", "als=-1", "als=nan", "als=101", "als=1 als=2"])
def test_a_wrong_table_of_sources_is_named(table: str) -> None:
    with pytest.raises(BadSources, match="SEGUE_LIST_SOURCES"):
        ListSettings(sources=table).quotas()
