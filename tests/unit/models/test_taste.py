"""Folding: the table of what counts, decay in event time, bounds, and equal bytes for equal logs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import artist_key_of, key_of, short
from models.plays import TICK
from models.profile import BadProfile, Profile, ProfileView
from models.taste import DAY, UNIT, TasteSettings, fold, is_positive
from models.tastes import STEP
from schemas.events import Listen

TASTE = TasteSettings()
HALF_LIFE = TASTE.half_life_days * DAY
SMALL = TasteSettings(max_tracks=8, max_artists=4, max_recent=5, max_past=0, max_event_ids=6, max_marks=3)
T0 = 1_700_000_000


def listen(event: str = "e", track: str = "t", second: int = T0, **more: object) -> Listen:
    return Listen(event, "ann", track, second * 1000, **more)  # type: ignore[arg-type]  # test data


@pytest.mark.parametrize(
    ("event", "positive"),
    [
        (listen(), True),  # heard to the end
        (listen(kind="skip"), False),
        (listen(ms_played=30_000), True),
        (listen(ms_played=29_999), False),
        (listen(ms_played=29_999, duration_ms=50_000), True),  # more than half of a short one
        (listen(ms_played=20_000, duration_ms=50_000), False),
        (listen(kind="skip", ms_played=31_000), True),  # skipped, but after 30 s
        (listen(kind="skip", ms_played=5_000, duration_ms=200_000), False),
        (listen(ms_played=0), False),
    ],
)
def test_the_table_of_what_counts(event: Listen, positive: bool) -> None:
    assert is_positive(event, TASTE) is positive


def test_a_weight_halves_in_its_half_life() -> None:
    profile = Profile()
    fold(profile, listen("a"), 0, TASTE)
    fold(profile, listen("b", second=T0 + int(TASTE.half_life_days * DAY)), 1, TASTE)
    weight, step, plays, skips = profile.by_track()[short(key_of("t"))]
    now = T0 + int(TASTE.half_life_days * DAY)
    assert step == now // STEP * STEP
    assert weight * 2 ** (-(now - step) / HALF_LIFE) == pytest.approx(UNIT + UNIT // 2, abs=1)
    assert (plays, skips) == (2, 0)


@given(st.permutations(range(6)))
def test_a_late_listen_lands_where_it_belongs(order: list[int]) -> None:
    """Whatever order they come in, the weights differ by rounding only and the plays stand in time order."""
    profile = Profile()
    for offset, number in enumerate(order):
        fold(profile, listen(str(number), second=T0 + number * DAY), offset, TASTE)
    weight, step = profile.tracks[key_of("t")]
    expected = sum(UNIT * 2 ** (-(step - T0 - n * DAY) / HALF_LIFE) for n in range(6))
    assert weight == pytest.approx(expected, abs=6)
    assert profile.view().recent_times.tolist() == [(T0 + n * DAY) // TICK * TICK for n in range(6)]
    assert profile.newest == T0 + 5 * DAY


def test_marks() -> None:
    profile = Profile()
    key, artist = key_of("t"), artist_key_of("Abba")
    fold(profile, listen("1", kind="love"), 0, TASTE)
    assert key in profile.loved
    fold(profile, listen("2", kind="ban"), 1, TASTE)
    assert key in profile.banned
    assert key not in profile.loved
    fold(profile, listen("3", kind="unban"), 2, TASTE)
    assert key not in profile.banned
    fold(profile, listen("4", kind="ban", scope="artist", artist="Abba"), 3, TASTE)
    assert artist in profile.banned_artists
    fold(profile, listen("5", kind="unban", scope="artist", artist=" ABBA"), 4, TASTE)
    assert artist not in profile.banned_artists


def test_a_repeat_changes_nothing() -> None:
    profile = Profile()
    assert fold(profile, listen(), 0, TASTE)
    before = profile.encode()
    assert not fold(profile, listen(track="other"), 1, TASTE)
    assert profile.encode() == before


def test_the_strongest_are_kept_and_nothing_grows_for_ever() -> None:
    profile = Profile()
    offset = 0
    for _ in range(5):
        fold(profile, listen(f"fav{offset}", "favourite", T0 + offset), offset, SMALL)
        offset += 1
    for number in range(500):
        fold(profile, listen(f"e{number}", f"t{number}", T0 + offset, artist=f"a{number}"), offset, SMALL)
        fold(profile, listen(f"m{number}", f"t{number}", T0 + offset, kind="ban"), offset, SMALL)
        offset += 1
    assert key_of("favourite") in profile.tracks
    assert len(profile.tracks) <= 9 + 5
    assert len(profile.artists) <= 4 + 4 // 8
    assert (profile.latest.count, len(profile.events), len(profile.banned)) == (5, 6, 3)
    assert profile.seen == set(profile.events)


events = st.builds(
    Listen,
    event_id=st.text(min_size=1, max_size=3),
    user_id=st.just("ann"),
    track_id=st.sampled_from([f"t{n}" for n in range(15)]),
    listened_at=st.integers(788_918_400_000, 4_102_444_800_000),
    kind=st.sampled_from(["play", "skip", "love", "ban", "unban"]),
    artist=st.none() | st.sampled_from([f"a{n}" for n in range(7)]),
    ms_played=st.none() | st.integers(0, 400_000),
    duration_ms=st.none() | st.integers(0, 400_000),
)


@given(st.lists(events, max_size=80), st.integers(0, 80))
def test_a_profile_that_went_through_bytes_folds_on_the_same(log: list[Listen], cut: int) -> None:
    straight, stopped = Profile(), Profile()
    for offset, event in enumerate(log):
        fold(straight, event, offset, SMALL)
        fold(stopped, event, offset, SMALL)
        if offset == cut:
            stopped = Profile.decode(stopped.encode())
    assert straight.encode() == stopped.encode()


@given(st.lists(events, max_size=40))
def test_a_view_shows_what_the_profile_holds(log: list[Listen]) -> None:
    profile = Profile()
    for offset, event in enumerate(log):
        fold(profile, event, offset, SMALL)
    view = ProfileView(profile.encode())
    assert view.tracks.tolist() == list(profile.tracks)
    assert np.stack((view.weights, view.steps), 1).tolist() == [entry[:2] for entry in profile.tracks.values()]
    assert (int(view.track_plays.sum()), int(view.track_skips.sum())) <= (view.plays, view.skips)
    assert view.banned.tolist() == list(profile.banned)
    assert (view.version, view.newest) == (profile.version, profile.newest)


@pytest.mark.parametrize(
    "data",
    [b"", b"SGP1", b"SGP2" + bytes(200), b"XXXX" + bytes(200), Profile().encode()[:-1], Profile().encode() + b"x"],
)
def test_bytes_that_are_no_profile(data: bytes) -> None:
    with pytest.raises(BadProfile):
        ProfileView(data)
    with pytest.raises(BadProfile):
        Profile.decode(data)
