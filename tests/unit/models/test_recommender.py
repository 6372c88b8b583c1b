"""Whole lists: a world whose right answer is known, and what must hold for any world."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.ids import artist_key_of, key_of, short
from models.profile import ProfileView
from models.recommender import STAGES, Recommender
from models.release import Release
from models.sources.settings import BadSources, ListSettings, Mix
from models.sources.shelf import Shelf
from schemas.events import Kind
from schemas.recommendation import Item
from tests.unit.scorer.worlds import NOON, SIDE, Links, checkerboard, listen, make_release, player_of, view

NO_RECENT = ListSettings(just_played=0, just_played_minutes=0)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r")


def test_on_a_checkerboard_the_first_new_track_is_the_one_left_out(board: Release) -> None:
    recommender = Recommender(board, NO_RECENT)
    own = [[i for i in range(SIDE) if (u + i) % 2 == 0 and i != u] for u in range(SIDE)]
    listeners = [player_of(rows, step=1) for rows in own]  # all weigh the same, as in training
    for u, items in enumerate(recommender.recommend(listeners, 10)):
        new = [item for item in items if item.source == "als"]
        assert new[0].track_id == f"t{u}"
        cause = int(new[0].reason.partition("Song ")[2].partition("”")[0])
        assert (cause + u) % 2 == 0  # named is a track of the listener's own colour


def test_a_batch_gives_what_one_at_a_time_gives(board: Release) -> None:
    recommender = Recommender(board, NO_RECENT)
    views = [player_of([1, 3, 5]), None, player_of([2, 4, 6, 8]), player_of([19])]
    together = recommender.recommend(views, 12)
    assert together == [recommender.recommend([each], 12)[0] for each in views]
    assert together == recommender.recommend(views, 12)


def test_lists_take_one_core_whoever_loaded_the_release(board: Release) -> None:
    def threads() -> int:
        return int(faiss.omp_get_max_threads())

    faiss.omp_set_num_threads(2)
    recommender = Recommender(board, NO_RECENT)

    def make() -> tuple[int, int]:
        faiss.omp_set_num_threads(2)  # what a thread begins with on two cores
        before = threads()
        recommender.recommend([player_of([1, 3, 5])], 5)
        return before, threads()

    with ThreadPoolExecutor(1) as another:
        assert another.submit(make).result() == (2, 1)


def test_a_stranger_gets_what_is_popular_in_its_order(board: Release) -> None:
    (items,) = Recommender(board, ListSettings()).recommend([None], 5)
    assert [(item.track_id, item.source) for item in items] == [(f"t{row}", "popular") for row in range(5)]


def test_a_listener_of_unknown_tracks_only_is_a_stranger_too(board: Release) -> None:
    recommender = Recommender(board, ListSettings())
    odd = view([listen("elsewhere", NOON), listen("nowhere", NOON + 1)])
    assert recommender.recommend([odd], 5) == recommender.recommend([None], 5)


def test_a_list_longer_than_the_catalogue_is_the_whole_catalogue(board: Release) -> None:
    (items,) = Recommender(board, NO_RECENT).recommend([player_of([0, 2, 4])], 500)
    assert {item.track_id for item in items} == {f"t{row}" for row in range(SIDE)}


def test_without_any_track_there_is_an_empty_list(tmp_path: Path) -> None:
    empty = make_release(tmp_path / "r", [], np.zeros((0, 4), dtype=np.float32))
    assert Recommender(empty, ListSettings()).recommend([player_of([0]), None], 5) == [[], []]
    assert Recommender(empty, ListSettings()).recommend([], 5) == []


def test_a_release_without_factors_still_serves_history_and_popular(tmp_path: Path) -> None:
    titles = [(f"Song {row}", f"Artist {row}") for row in range(9)]
    bare = make_release(tmp_path / "r", titles, np.zeros((0, 4), dtype=np.float32))
    (items,) = Recommender(bare, NO_RECENT).recommend([player_of([4])], 4)
    assert [(item.track_id, item.source) for item in items] == [
        ("t4", "history"), ("t0", "popular"), ("t1", "popular"), ("t2", "popular"),
    ]  # fmt: skip


def test_one_more_play_changes_a_first_time_listeners_list(board: Release) -> None:
    recommender = Recommender(board, NO_RECENT)
    before, after = recommender.recommend([player_of([4]), player_of([4, 7])], 10)
    assert [item.track_id for item in before] != [item.track_id for item in after]


@pytest.mark.parametrize(("familiar", "known"), [(0.0, 0), (0.5, 3), (1.0, 6)])
def test_the_dial_turns_between_what_is_known_and_what_is_new(board: Release, familiar: float, known: int) -> None:
    turned = msgspec.structs.replace(NO_RECENT, familiar=familiar)
    (items,) = Recommender(board, turned).recommend([player_of(range(0, 20, 2))], 6)
    assert sum(int(item.track_id[1:]) % 2 == 0 for item in items) == known


@pytest.mark.parametrize(("mix", "holds"), [("discover", {"t7", "t9", "t11"}), ("familiar", {"t1", "t3", "t5"})])
def test_a_mix_of_one_kind_of_track(board: Release, mix: Mix, holds: set[str]) -> None:
    (items,) = Recommender(board, msgspec.structs.replace(NO_RECENT, mix=mix)).recommend([player_of([1, 3, 5])], 12)
    found = {item.track_id for item in items}
    known = {"t1", "t3", "t5"}
    assert holds <= found
    assert (found <= known) == (mix == "familiar")
    assert found.isdisjoint(known) == (mix == "discover")


def test_every_stage_is_heard_of_once_a_batch(board: Release) -> None:
    heard: list[str] = []
    Recommender(board, ListSettings()).recommend([None, player_of([3])], 5, heard.append)
    assert tuple(heard) == STAGES


def test_a_source_left_out_of_the_table_brings_nothing(board: Release) -> None:
    only = msgspec.structs.replace(NO_RECENT, sources="als=2")
    (items,) = Recommender(board, only).recommend([player_of([0, 2, 4])], 10)
    assert {item.source for item in items} == {"als"}


def test_an_unknown_source_is_named(board: Release) -> None:
    with pytest.raises(BadSources, match=r"'magic'; known: history, recent, .*, popular"):
        Recommender(board, ListSettings(sources="history=1 magic=2"))


# --- whatever the world

TITLES = ["Tide", "Tide (Live)", "Ebb", "Harbour", "Pier", "Harbour - Remastered 2011"]
HEARD, UNHEARD = {"history", "recent", "sequence", "around", "sessions"}, {"neighbours", "artists", "als", "popular"}
KINDS: list[Kind] = ["play", "play", "play", "skip", "love", "ban", "unban"]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[tuple[str, str]], int, int, list[list[tuple[int, int, int, bool]]]]:
    """Titles and artists, how many have factors, a seed, and listens as (row, seconds later, kind, of the artist)."""
    tracks = draw(st.integers(0, 40))
    titles = draw(
        st.lists(
            st.tuples(st.sampled_from(TITLES), st.sampled_from(["Anna", "Ben", "The Gulls", ""])),
            min_size=tracks, max_size=tracks,
        )
    )  # fmt: skip
    event = st.tuples(
        st.integers(0, 45),
        st.integers(0, 90_000),
        st.integers(0, len(KINDS) - 1),
        st.integers(0, 4).map(lambda x: x == 0),
    )
    listeners = draw(st.lists(st.lists(event, max_size=30), max_size=4))
    return titles, draw(st.integers(0, tracks)), draw(st.integers(0, 2**16)), listeners


lists = st.builds(
    ListSettings,
    familiar=st.none() | st.floats(0, 1),
    artist_cap=st.integers(0, 4),
    just_played=st.integers(0, 5),
    just_played_minutes=st.integers(0, 100),
    sources=st.sampled_from(
        [
            ListSettings().sources,
            "history=4 als=2 popular=2",
            "als=1 popular=1 history=0.1",
            "popular=3",
            "history=1 als=1",
            "around=2 sessions=2 popular=0.1 transitions=3 neighbours=3 sequence=3 recent=1 artists=2",
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds(), chosen=lists, n=st.integers(1, 60))
def test_whatever_the_world_a_list_keeps_its_promises(
    tmp_path_factory: pytest.TempPathFactory,
    world: tuple[list[tuple[str, str]], int, int, list[list[tuple[int, int, int, bool]]]],
    chosen: ListSettings,
    n: int,
) -> None:
    titles, fitted, seed, listeners = world
    factors = np.random.default_rng(seed).normal(size=(fitted, 4)).astype(np.float32)
    links = _links(len(titles), seed), _links(len(titles), seed + 1)
    release = make_release(tmp_path_factory.mktemp("w") / "r", titles, factors, None, *links)
    views = [None, *(view(_listens(events, titles)) for events in listeners)]
    found = Recommender(release, chosen).recommend(views, n)
    assert len(found) == len(views)
    for seen, items in zip(views, found, strict=True):
        _check(release, chosen, n, seen, items)


def _links(tracks: int, seed: int) -> Links:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, max(1, tracks), size=(3 * tracks, 2)).tolist()
    return {row: {other: float(rng.random()) for at, other in drawn if at == row} for row in range(tracks)}


def _listens(events: list[tuple[int, int, int, bool]], titles: list[tuple[str, str]]) -> list:  # type: ignore[type-arg]
    at, listens = NOON, []
    for row, later, kind, of_artist in events:
        at += later
        artist = titles[row][1] if row < len(titles) and titles[row][1] else None
        if of_artist and artist:
            listens.append(listen(f"t{row}", at, KINDS[kind], artist, scope="artist"))
        else:
            listens.append(listen(f"t{row}", at, KINDS[kind], artist))
    return listens


def _check(release: Release, chosen: ListSettings, n: int, seen: ProfileView | None, items: list[Item]) -> None:
    assert len(items) <= n
    tracks = [item.track_id for item in items]
    rows = [release.catalogue.track_ids.index(track) for track in tracks]
    assert len(set(tracks)) == len(tracks)
    scores = [item.score for item in items]
    assert all(math.isfinite(score) and score >= 0 for score in scores)
    assert scores == sorted(scores, reverse=True)
    assert all(item.reason and item.source in chosen.quotas() for item in items)
    by_artist = Counter(release.catalogue.artist_keys[row] for row in rows)
    assert not by_artist or not chosen.artist_cap or max(by_artist.values()) <= chosen.artist_cap
    assert len({Shelf(release.catalogue).works[row] for row in rows}) == len(rows)
    if seen is None:
        assert not [item for item in items if item.source != "popular"]
        return
    banned_artists = {int(key) for key in seen.banned_artists}
    for row, item in zip(rows, items, strict=True):
        key = key_of(item.track_id)
        artist = release.catalogue.artists[row]
        assert key not in seen.banned
        assert not artist or artist_key_of(artist) not in banned_artists
        assert short(key) in seen.tracks or item.source not in HEARD
        assert short(key) not in seen.tracks or item.source not in UNHEARD
    just = {int(key) for key in seen.recent[len(seen.recent) - chosen.just_played :]}
    since = seen.newest - chosen.just_played_minutes * 60
    just |= {int(key) for key, at in zip(seen.recent, seen.recent_times, strict=True) if at > since}
    assert not just & {short(key_of(track)) for track in tracks}


@settings(max_examples=60, deadline=None)
@given(known=st.integers(0, 60), n=st.integers(1, 50), familiar=st.floats(0, 1))
def test_a_large_enough_catalogue_always_fills_the_list(wide: Release, known: int, n: int, familiar: float) -> None:
    chosen = msgspec.structs.replace(NO_RECENT, familiar=familiar)
    found = Recommender(wide, chosen).recommend([player_of(range(known)), None], n)
    assert [len(items) for items in found] == [n, n]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Release:
    factors = np.random.default_rng(3).normal(size=(150, 4)).astype(np.float32)
    titles = [(f"Song {row}", f"Artist {row // 2}") for row in range(300)]
    return make_release(tmp_path_factory.mktemp("wide") / "r", titles, factors)
