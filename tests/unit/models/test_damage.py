"""Damaged profiles: whatever the bytes are, they are refused, or every reader can work with what they say."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decode import FEW, MANY, decode_all
from models.flat import Flat, readable
from models.layout import HEADER, PREFIXED, SEGMENT_BYTES, ProfileBytes, sealed, segment
from models.plays import FAR
from models.profile import SEGMENT, BadProfile, Profile, ProfileView
from models.recommender import Recommender
from models.sources.settings import ListSettings
from models.taste import TasteSettings, fold
from schemas.events import Kind, Listen
from tests.unit.scorer.worlds import NOON, make_release

TRACKS = 40
DAY = 86_400
WITH_PAST = TasteSettings(max_tracks=60, max_recent=20, max_past=3 * SEGMENT, max_event_ids=8)
WITHOUT = TasteSettings(max_tracks=20, max_artists=10, max_recent=30, max_past=0, max_event_ids=8, max_marks=4)
UNBOUND = TasteSettings(note_met=False)
KINDS = [
    (WITH_PAST, 3),
    (WITHOUT, 12),
    (UNBOUND, 60),
    (UNBOUND, 250),
    (WITHOUT, 300),
    (WITH_PAST, 400),
    (WITH_PAST, 1_500),
]


def made(seed: int, taste: TasteSettings, plays: int) -> Profile:
    random, profile, at = Random(seed), Profile(), NOON - 400 * DAY  # the same every time
    for offset in range(plays):
        at += random.choice([90, 200, 200, 3_000, DAY // 2]) if random.random() < 0.98 else 20 * DAY
        kind = random.choices(["play", "skip", "love", "ban"], [40, 8, seed % 2, seed % 3])[0]
        event = Listen(f"{seed}-{offset}", "ann", f"t{random.randrange(TRACKS + 5)}", at * 1_000, kind)  # type: ignore[arg-type]  # one of these
        fold(profile, event, offset, taste)
    return profile


@cache
def parts() -> list[tuple[bytes, bytes]]:
    """Heads and pasts of listeners of many kinds and sizes."""
    profiles = [made(seed, *kind) for seed in range(3) for kind in KINDS]
    return [(each.head(), each.past) for each in profiles]


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    folder: Path = tmp_path_factory.mktemp("releases") / "r1"
    generator = np.random.default_rng(1)
    links = {row: {(row + 1) % TRACKS: 1.0, (row + 7) % TRACKS: 0.5} for row in range(TRACKS)}
    titles = [(f"Song {row}", f"Artist {row // 3}") for row in range(TRACKS)]
    factors = generator.normal(size=(TRACKS, 4)).astype(np.float32)
    return Recommender(make_release(folder, titles, factors, None, links, links), ListSettings())


def works(data: bytes, recommender: Recommender) -> bool:
    """Whether these bytes are taken for a profile; then everything is done with it that anybody does."""
    among = decoded_among_others(data)
    try:
        view = ProfileView(data)
    except BadProfile:
        with pytest.raises(BadProfile):
            Profile.decode(data)
        assert isinstance(among, BadProfile)
        return False
    [wrong] = readable([view])
    if wrong is not None:
        with pytest.raises(BadProfile):
            Profile.decode(data)
        assert isinstance(among, BadProfile)
        with pytest.raises(BadProfile):
            view.recent  # noqa: B018  # it must not say anything
        return False
    assert isinstance(among, Profile)
    assert among.encode() == Profile.decode(data).encode()
    _is_read(view)
    _is_recommended(view, recommender)
    _is_folded(data)
    return True


def decoded_among_others(data: bytes) -> Profile | BadProfile:
    """As one of many; the others are none the worse for it."""
    sound = b"".join(parts()[2])
    *before, found, last = decode_all([*[sound] * FEW, data, sound])
    for each in (*before, last):
        assert isinstance(each, Profile)
        assert each.encode() == sound
    return found


def _is_read(view: ProfileView) -> None:
    count = len(view.tracks)
    assert len(view.weights) == len(view.steps) == len(view.lasts) == len(view.track_plays) == count
    assert max([*view.lasts.tolist(), *view.steps.tolist(), *view.past_times.tolist(), 0]) <= view.newest
    assert ((view.places >= 0) & (view.places < count)).all()
    assert all(before <= after for before, after in pairwise(view.recent_times.tolist()))
    assert len(view.past) == len(view.past_times) == len(view.past_played)
    assert view.plays + view.skips >= len(view.recent)
    assert len(view.hours) == 24


def _is_recommended(view: ProfileView, recommender: Recommender) -> None:
    sound = ProfileView(b"".join(parts()[2]))
    alone = recommender.recommend([sound], 10)[0]
    lists = recommender.recommend([sound, view, None, sound], 10)
    assert lists[0] == lists[3] == alone  # a batch is nobody's neighbour's business
    assert all(np.isfinite(item.score) and item.track_id for item in lists[1])


def _is_folded(data: bytes) -> None:
    profile = Profile.decode(data)
    taste = WITH_PAST if profile.past else UNBOUND
    for offset in range(300):
        at = profile.newest + 100 if offset % 50 else NOON - 500 * DAY
        listen = Listen(
            f"later-{offset}", "ann", f"t{offset % (TRACKS + 60)}", at * 1_000, "skip" if offset % 7 else "play"
        )
        if at < 2**32:
            fold(profile, listen, 1_000_000 + offset, taste)
    assert Profile.decode(profile.encode()).encode() == profile.encode()


def damaged(random: Random, data: bytes) -> bytes:
    """A byte flipped, a bit, a run of zeros, some cut, some put in, some moved."""
    changed, at = bytearray(data), random.randrange(len(data)) if random.random() < 0.6 else random.randrange(40)
    match random.randrange(7):
        case 0:
            changed[at] ^= 1 << random.randrange(8)
        case 1:
            changed[at] = random.randrange(256)
        case 2:
            changed[at : at + random.randrange(1, 64)] = bytes(min(len(data) - at, random.randrange(1, 64)))
        case 3:
            del changed[at:]
        case 4:
            changed += random.randbytes(random.choice([1, 7, 100, SEGMENT_BYTES]))
        case 5:
            changed[at:at] = random.randbytes(random.randrange(1, 9))
        case _:
            changed[at : at + 8] = b"\xff" * min(8, len(data) - at)
    return bytes(changed)


def resealed(random: Random, head: bytes, past: bytes) -> bytes:
    """Damage that every checksum agrees with, as one in 65,536 heads does."""
    body = damaged(random, head[PREFIXED.size :])
    if past and random.random() < 0.5:
        words = np.frombuffer(past, "<u4").reshape(-1, SEGMENT_BYTES // 4)[:, :-1].copy()
        words[random.randrange(len(words)), random.randrange(2 * SEGMENT)] ^= 1 << random.randrange(32)
        past = b"".join(segment(row[:SEGMENT], row[SEGMENT:].astype(np.int64)) for row in words)
        body = head[PREFIXED.size :] if random.random() < 0.7 else body
    return sealed(body) + past


@pytest.mark.parametrize(("before", "bad"), [(0, 1), (0, FEW), (MANY, 1), (MANY, 2), (1, MANY), (0, 2 * MANY)])
def test_however_many_are_damaged_each_is_told_in_its_place(before: int, bad: int) -> None:
    sound = parts()[3][0]
    found = decode_all([sound] * before + [sound[:-1]] * bad)
    assert [isinstance(each, BadProfile) for each in found] == [False] * before + [True] * bad


def test_what_is_not_damaged_works(recommender: Recommender) -> None:
    assert all(works(head + past, recommender) for head, past in parts())


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_damage_shows(recommender: Recommender, seed: int) -> None:
    random = Random(seed)  # what hypothesis chose
    head, past = random.choice(parts())
    data = damaged(random, head + past)
    if data != head + past:
        assert not works(data, recommender)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_damage_that_no_checksum_shows_harms_nobody(recommender: Recommender, seed: int) -> None:
    random = Random(seed)  # what hypothesis chose
    works(resealed(random, *random.choice(parts())), recommender)


def test_heads_and_pasts_of_different_listeners_are_refused_or_read(recommender: Recommender) -> None:
    for head, _ in parts()[:9]:
        for _, past in parts()[5::7]:
            works(head + past, recommender)


def test_every_byte_of_a_past_is_under_a_checksum() -> None:
    head, past = parts()[-1]
    assert len(past) == 3 * SEGMENT_BYTES
    for at in range(0, len(past), 97):
        changed = bytearray(past)
        changed[at] ^= 0x10
        with pytest.raises(BadProfile, match=r"a past whose segment . of 3 is not as it was written"):
            ProfileView(head + changed)


def test_a_past_after_the_newest_listen_is_refused() -> None:
    head, past = parts()[-1]
    newest = ProfileView(head).newest
    words = np.frombuffer(past, "<u4").reshape(-1, SEGMENT_BYTES // 4)[:, :-1].copy()
    words[1, SEGMENT + 3] = newest + 16
    later = b"".join(segment(row[:SEGMENT], row[SEGMENT:].astype(np.int64)) for row in words)
    with pytest.raises(BadProfile, match="a play after the newest"):
        ProfileView(head + later)


def with_field(head: bytes, number: int, value: int) -> bytes:
    """A head one number of whose header is another, under a checksum of its own."""
    fields = list(HEADER.unpack_from(head, PREFIXED.size))
    fields[number] = value
    return sealed(HEADER.pack(*fields) + head[PREFIXED.size + HEADER.size :])


@pytest.mark.parametrize(("number", "value"), [(5, NOON - 500 * DAY), (6, 2**32 - 1)], ids=["newest", "first"])
def test_plays_after_the_newest_are_refused(number: int, value: int) -> None:
    head, _ = parts()[3]
    assert_refused(with_field(head, number, value), "a play of no track of its own, or after its newest")


def test_flags_that_nobody_knows_are_refused() -> None:
    head, _ = parts()[3]
    assert_refused(with_field(head, 0, head[PREFIXED.size] | 64), "a profile of flags")


@pytest.mark.parametrize(("number", "value"), [(1, 0), (1, 29), (2, 0), (2, 29)])
def test_widths_that_no_play_has_are_refused(number: int, value: int) -> None:
    profile = Profile()
    fold(profile, Listen("e", "ann", "t1", NOON * 1_000, "ban"), 0, UNBOUND)  # without a play any width would do
    assert_refused(with_field(profile.head(), number, value), f"{value} bits a place|{value} a gap")


def test_places_of_tracks_that_are_not_there_are_found_in_any_batch() -> None:
    head, _ = parts()[3]
    read = ProfileBytes(head)
    assert len(read.tops) < 1 << read.shape.place_bits
    every_bit = (1 << read.shape.place_bits) - 1  # the sixth play is of the last place that the bits can say
    assert_refused(with_plays(head, every_bit << 5 * read.shape.width), "a play of no track of its own")


def with_plays(head: bytes, bits: int) -> bytes:
    """A head with these bits set among its latest plays, under a checksum of its own."""
    read = ProfileBytes(head)
    end = read.plays_at + read.shape.bytes
    plays = int.from_bytes(head[read.plays_at : end], "little") | bits
    return sealed(head[PREFIXED.size : read.plays_at] + plays.to_bytes(read.shape.bytes, "little") + head[end:])


def with_bytes(head: bytes, at: int, new: bytes) -> bytes:
    return sealed(head[PREFIXED.size : at] + new + head[at + len(new) :])


def assert_refused(wrong: bytes, says: str) -> None:
    """Of its own, and in a batch in which nobody else is."""
    with pytest.raises(BadProfile, match=says):
        Profile.decode(wrong)
    sound = ProfileView(parts()[2][0])
    try:
        view = ProfileView(wrong)
    except BadProfile:
        return
    assert [error is None for error in readable([sound, view, sound])] == [True, False, True]
    with pytest.raises(BadProfile, match="among these profiles"):
        Flat([sound, view]).places  # noqa: B018  # it must not say anything


@pytest.fixture
def loved() -> bytes:
    """A head that counts, with marks, and a gap of 20 days."""
    profile = Profile()
    at = NOON
    for number in range(9):
        at += 20 * DAY if number == 4 else 300
        kind: Kind = "love" if number == 7 else "play"
        fold(profile, Listen(f"e{number}", "ann", f"t{number % 5}", at * 1_000, kind), number, UNBOUND)
    return profile.head()


def test_plays_that_disagree_with_themselves_are_refused(loved: bytes) -> None:
    shape = ProfileBytes(loved).shape
    assert shape.plays == 8
    assert shape.gaps.tolist() == [FAR, 20 * DAY // 16 & 0xFFFF, 20 * DAY // 16 >> 16]
    long = (1 << shape.gap_bits) - 1 << shape.place_bits
    assert_refused(with_plays(loved, long << 2 * shape.width), "of 2 long gaps 1 are there")
    assert_refused(with_plays(loved, 1 << shape.place_bits), "the oldest play has a gap before it")


def test_long_gaps_that_are_cut_are_refused(loved: bytes) -> None:
    read = ProfileBytes(loved)
    gaps_at = read.plays_at + read.shape.bytes
    assert_refused(with_bytes(loved, gaps_at, b"\x00\x00"), "of 1 long gaps 3 are there")
    assert_refused(with_bytes(loved, gaps_at, b"\x00\x00\xff\xff"), "the last long gap is cut")


def test_bits_behind_the_plays_are_refused() -> None:
    profile = made(0, UNBOUND, 13)
    shape = ProfileBytes(profile.head()).shape
    assert shape.plays * shape.width % 8
    assert_refused(with_plays(profile.head(), 1 << shape.plays * shape.width), "something behind its latest plays")


def test_columns_out_of_their_bounds_are_refused(loved: bytes) -> None:
    read = ProfileBytes(loved)
    steps_at = read.plays_at - (2 + 2) * len(read.tops)
    assert_refused(with_bytes(loved, steps_at, b"\xff\xff"), "a weight of a time after its newest")
    marks_at = read.plays_at + read.shape.bytes + 2 * len(read.shape.gaps) + 4 * len(read.events)
    assert_refused(with_bytes(loved, marks_at, b"\xff" * 8), "a mark on what is no key")
    counts_at = PREFIXED.size + HEADER.size
    assert_refused(with_bytes(loved, counts_at, bytes(4)), "a profile of 0 plays and 0 skips, 8 of them at hand")
    assert_refused(with_bytes(loved, counts_at, b"\xff" * 4), "a profile of 4294967295 plays")
