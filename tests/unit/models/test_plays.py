"""A few bits a play: the same plays come out as went in, whatever they are and however they got there."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.plays
from models.decode import FEW, decode_all
from models.flat import Flat
from models.plays import FAR, Columns, Plays, Shape, unpacked
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.events import Listen

apart = st.one_of(st.integers(0, 70), st.sampled_from([2**12 - 1, FAR - 1, FAR, FAR + 1, 2**28]), st.integers(-40, -1))
plays = st.lists(st.tuples(st.integers(0, 5_000), apart, st.booleans()), max_size=60)


def rows(columns: Columns) -> list[tuple[int, int, int]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(plays, st.sets(st.integers(0, 59)))
def test_plays_come_out_as_they_went_in(given_plays: list[tuple[int, int, bool]], fitted: set[int]) -> None:
    kept, expected, tick = Plays(), [], 1_000
    for number, (place, gap, played) in enumerate(given_plays):
        tick = max(0, tick + gap)
        kept.put(place, tick, played)
        expected = sorted([*expected, (place, tick, int(not played))], key=lambda play: play[1])
        if number in fitted:
            kept.fit()
    assert rows(kept.columns()) == expected
    again = Plays()
    for place, at, skipped in expected:
        again.put(place, at, not skipped)
    for fit in (again.fit, kept.fit):
        fit()
    assert again.packed() == kept.packed()  # the same plays in the fewest bits, in whatever order they came


@given(plays, st.integers(0, 20))
def test_the_oldest_go_one_by_one_or_together(given_plays: list[tuple[int, int, bool]], gone: int) -> None:
    one, many, tick = Plays(), Plays(), 1_000
    for place, gap, played in given_plays:
        tick = max(0, tick + gap)
        one.put(place, tick, played)
        many.put(place, tick, played)
    gone = min(gone, len(given_plays))
    whole = rows(one.columns())
    for _ in range(gone):
        one.drop_oldest()
    assert rows(many.take_oldest(gone)) == whole[:gone]
    assert rows(one.columns()) == rows(many.columns()) == whole[gone:]


def test_plays_are_read_wherever_they_stand() -> None:
    kept = Plays()
    for number in range(100):
        kept.put(number % 9, 40 * number, number % 3 > 0)
    gaps = np.frombuffer(kept.gaps, np.uint16)
    shape = Shape(kept.count, kept.place_bits, kept.gap_bits, kept.mixed, kept.first, gaps)
    for behind in (b"", b"\xff" * 3, b"\xff" * 20):
        assert rows(unpacked(b"\xff" * 5 + kept.packed() + behind, 5, shape)) == rows(kept.columns())


def test_a_play_of_an_album_takes_ten_bits() -> None:
    kept = Plays()
    for number in range(128):
        kept.put(number % 33, number * 13, True)
    kept.fit()
    assert len(kept.packed()) == 128 * (6 + 4) // 8  # 33 tracks, 200 s each


listens = st.lists(
    st.builds(
        Listen,
        event_id=st.uuids().map(str),
        user_id=st.just("ann"),
        track_id=st.sampled_from([f"t{n}" for n in range(15)]),
        listened_at=st.integers(788_918_400_000, 4_102_444_800_000),
        kind=st.sampled_from(["play", "play", "skip", "love", "ban"]),
    ),
    max_size=25,
)


@given(st.lists(listens, min_size=FEW - 1, max_size=2 * FEW))
def test_many_profiles_are_decoded_at_once_as_each_alone(logs: list[list[Listen]]) -> None:
    taste, heads = TasteSettings(max_tracks=5, max_recent=12, max_past=0), []
    for log in logs:
        profile = Profile()
        for offset, listen in enumerate(log):
            fold(profile, listen, offset, taste)
        heads.append(profile.encode())
    more = Listen("one more", "ann", "t1", 4_000_000_000_000, kind="skip")
    for head, found in zip(heads, decode_all(heads), strict=True):
        alone = Profile.decode(head)
        assert isinstance(found, Profile)
        for each in (alone, found):
            fold(each, more, 10**6, taste)
        assert found.encode() == alone.encode()


@given(st.lists(listens, min_size=1, max_size=6))
def test_many_profiles_are_read_at_once_as_each_alone(logs: list[list[Listen]]) -> None:
    taste, views = TasteSettings(max_tracks=5, max_recent=12, max_past=0), []
    for log in logs:
        profile = Profile()
        for offset, listen in enumerate(log):
            fold(profile, listen, offset, taste)
        views.append(ProfileView(profile.encode()))
    from_bytes, kept = Flat(views), Flat(views[::-1])  # the second finds unpacked what the first has read
    assert len(from_bytes.places) == len(kept.places)
    for at, view in enumerate(views):
        alone = Flat([ProfileView(view.data)])
        for flat, here in ((from_bytes, at), (kept, len(views) - 1 - at)):
            tracks = slice(flat.track_starts[here], flat.track_starts[here + 1])
            latest = slice(flat.play_starts[here], flat.play_starts[here + 1])
            for name in ("keys", "weights", "steps", "lasts", "plays", "skips"):
                assert getattr(flat, name)[tracks].tolist() == getattr(alone, name).tolist(), name
            for name in ("times", "skipped"):
                assert getattr(flat, name)[latest].tolist() == getattr(alone, name).tolist(), name
            assert (flat.places[latest] - flat.track_starts[here]).tolist() == alone.places.tolist()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_plays(count: int) -> None:
    kept = Plays()
    for number in range(count):
        kept.put(0, number, True)
    kept.fit()
    assert rows(kept.columns()) == [(0, number, 0) for number in range(count)]


@given(plays, st.integers(1, 14), st.booleans())
def test_few_are_packed_as_many_are(given_plays: list[tuple[int, int, bool]], place_bits: int, mixed: bool) -> None:
    made: list[tuple[Any, ...]] = []
    for few in (0, len(given_plays)):
        kept, tick = Plays(), 1_000
        for place, gap, played in given_plays:
            tick = max(0, tick + gap)
            kept.put(place, tick, played)
        with mock.patch.object(models.plays, "FEW", few):
            kept.fit(place_bits, mixed)
        made.append((kept.packed(), kept.gaps, kept.place_bits, kept.gap_bits, kept.mixed, kept.first, kept.count))
    assert made[0] == made[1]
