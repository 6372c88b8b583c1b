"""The columns against a slow, readable fold into dicts and lists: the same log, the same profile in every field."""

import random
from dataclasses import dataclass, field
from math import exp2, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import artist_key_of, key_of, short
from models.plays import TICK
from models.profile import EVENT, PREFIX, SEGMENT, Profile, ProfileView
from models.taste import DAY, MOST, UNIT, TasteSettings, fold, is_positive, most_latest
from models.tastes import SCANS, STEP
from schemas.events import Kind, Listen

NOON = 1_704_110_400
SMALL = TasteSettings(max_tracks=8, max_artists=4, max_recent=5, max_past=0, max_event_ids=6, max_marks=3)
KINDS: list[Kind] = ["play", "skip", "love", "ban", "unban"]


@dataclass
class Slow:
    """A profile as one would write it down."""

    version: int = -1
    newest: int = 0
    plays: int = 0
    skips: int = 0
    tracks: dict[int, list[int]] = field(default_factory=dict)  # weight, last, plays, skips
    artists: dict[int, list[int]] = field(default_factory=dict)
    recent: list[tuple[int, int, bool]] = field(default_factory=list)  # time, track, played
    past: list[tuple[int, int, bool]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    loved: list[int] = field(default_factory=list)
    banned: list[int] = field(default_factory=list)
    loved_artists: list[int] = field(default_factory=list)
    banned_artists: list[int] = field(default_factory=list)
    hours: list[int] = field(default_factory=lambda: [0] * 24)

    def fold(self, listen: Listen, offset: int, taste: TasteSettings) -> None:
        event = key_of(listen.event_id) >> EVENT
        if event in self.events:
            return
        self.events = [*self.events, event][-taste.max_event_ids :]
        second = listen.listened_at // 1000
        self.version, self.newest = offset, max(self.newest, second)
        if listen.kind in ("play", "skip"):
            self._play(listen, second, taste)
        else:
            self._mark(listen, second, taste)

    def _play(self, listen: Listen, second: int, taste: TasteSettings) -> None:
        played = is_positive(listen, taste)
        gain = UNIT * (taste.play if played else taste.skip)
        track = short(key_of(listen.track_id))
        self._add_track(track, gain, second, taste)
        self.tracks[track][2 if played else 3] += 1
        self.plays, self.skips = self.plays + played, self.skips + (not played)
        self.hours[second // 3600 % 24] += played
        if listen.artist is not None and taste.max_artists:
            self._add_artist(listen.artist, gain, second, taste)
        # A stable sort by time: a late play stands behind those of its own tick.
        self.recent = sorted([*self.recent, (second // TICK * TICK, track, played)], key=lambda play: play[0])
        if taste.max_past < SEGMENT:
            self.recent = self.recent[-taste.max_recent :]
        elif len(self.recent) == taste.max_recent + SEGMENT:
            kept = taste.max_past // SEGMENT * SEGMENT
            self.past = [*self.past, *self.recent[:SEGMENT]][-kept:]
            self.recent = self.recent[SEGMENT:]

    def _mark(self, listen: Listen, second: int, taste: TasteSettings) -> None:
        suffix = "_artists" if listen.scope == "artist" else ""
        key = artist_key_of(listen.artist or "") if suffix else key_of(listen.track_id)
        chosen, other = ("loved", "banned") if listen.kind == "love" else ("banned", "loved")
        for name in (chosen,) if listen.kind == "unban" else (chosen, other):
            setattr(self, name + suffix, [mark for mark in getattr(self, name + suffix) if mark != key])
        if listen.kind == "unban":
            return
        setattr(self, chosen + suffix, [*getattr(self, chosen + suffix), key][-taste.max_marks :])
        if listen.kind == "love" and not suffix:
            self._add_track(short(key), UNIT * taste.love, second, taste)
        if listen.kind == "love" and listen.artist is not None and taste.max_artists:
            self._add_artist(listen.artist, UNIT * taste.love, second, taste)

    def _add_track(self, key: int, gain: float, second: int, taste: TasteSettings) -> None:
        if key not in self.tracks:
            lately = {track for _, track, _ in self.recent}
            kept = room(self.tracks, taste.max_tracks, most_latest(taste), lately, taste)
            self.tracks = {**kept, key: [0, second // STEP * STEP, 0, 0]}
        add(self.tracks[key], gain, second, taste)

    def _add_artist(self, artist: str, gain: float, second: int, taste: TasteSettings) -> None:
        key = short(artist_key_of(artist))
        if key not in self.artists:
            self.artists = {**room(self.artists, taste.max_artists, 0, set(), taste), key: [0, second // STEP * STEP]}
        add(self.artists[key], gain, second, taste)


def add(entry: list[int], gain: float, second: int, taste: TasteSettings) -> None:
    weight, last, *_ = entry
    half_life = taste.half_life_days * DAY
    step = max(last, second // STEP * STEP)
    total = weight * exp2((last - step) / half_life) + gain * exp2((second - step) / half_life)
    entry[:2] = max(-MOST, min(MOST, round(total))), step


def room(
    entries: dict[int, list[int]], most: int, besides: int, always: set[int], taste: TasteSettings
) -> dict[int, list[int]]:
    """All but the weakest once there are an eighth and `besides` too many, in their order."""
    if len(entries) < most + most // 8 + besides:
        return entries

    def strength(key: int) -> tuple[float, int]:
        return log2(abs(entries[key][0]) + 1) + entries[key][1] / (taste.half_life_days * DAY), key

    strong = sorted(entries, key=strength)
    kept = always | set(strong[len(strong) - (most - 1) :])
    return {key: entry for key, entry in entries.items() if key in kept}


def assert_same(profile: Profile, slow: Slow) -> None:
    for name in ("version", "newest", "plays", "skips", "hours"):
        assert getattr(profile, name) == getattr(slow, name), name
    for name in ("events", "loved", "banned", "loved_artists", "banned_artists"):
        assert getattr(profile, name).tolist() == getattr(slow, name), name
    assert list(profile.by_track().items()) == list(slow.tracks.items())
    assert list(profile.artists.items()) == list(slow.artists.items())
    view = ProfileView(profile.encode())
    columns = (view.recent_times.tolist(), view.recent.tolist(), view.recent_played.tolist())
    assert list(zip(*columns, strict=True)) == slow.recent
    lasts = {track: second for second, track, _ in slow.recent}
    assert view.lasts.tolist() == [max(lasts.get(track, 0), entry[1]) for track, entry in slow.tracks.items()]
    past = zip(view.past_times.tolist(), view.past.tolist(), view.past_played.tolist(), strict=True)
    assert list(past) == [(second, track >> PREFIX, played) for second, track, played in slow.past]


events = st.builds(
    Listen,
    event_id=st.text("abcdefgh", min_size=1, max_size=2),
    user_id=st.just("ann"),
    track_id=st.sampled_from([f"t{n}" for n in range(15)]),
    listened_at=st.integers(788_918_400_000, 4_102_444_800_000)
    | st.integers(0, 40).map(lambda day: (NOON + day * DAY) * 1000),
    kind=st.sampled_from(KINDS),
    artist=st.none() | st.sampled_from([f"a{n}" for n in range(7)]),
    ms_played=st.none() | st.integers(0, 60_000),
    duration_ms=st.none() | st.integers(0, 100_000),
    scope=st.sampled_from(["track", "track", "artist"]),
)


@given(st.lists(events, max_size=120), st.sets(st.integers(0, 119), max_size=8))
def test_any_log_gives_the_same_whenever_it_went_through_bytes(log: list[Listen], cuts: set[int]) -> None:
    straight, stopped, slow = Profile(), Profile(), Slow()
    for offset, event in enumerate(log):
        slow.fold(event, offset, SMALL)
        fold(straight, event, offset, SMALL)
        fold(stopped, event, offset, SMALL)
        if offset in cuts:
            data = stopped.encode()
            stopped = Profile.decode(data)
            assert stopped.encode() == data
    assert_same(straight, slow)
    assert straight.encode() == stopped.encode()


def some_log(rng: random.Random, count: int, tracks: int) -> list[Listen]:
    """Popular and rare tracks, many in one second, a tenth late by minutes to a year, some of it sent twice."""
    made: list[Listen] = []
    second = NOON
    for number in range(count):
        second += rng.choice([0, 0, 600, 6_000])
        track = rng.randrange(tracks) if rng.random() < 0.4 else min(int(rng.paretovariate(0.35)), tracks)
        late = rng.random() < 0.1
        event = Listen(
            event_id=f"e{number}",
            user_id="ann",
            track_id=f"t{track}",
            listened_at=(second - (600 * min(int(rng.paretovariate(0.2)), 52_560) if late else 0)) * 1000,
            kind=rng.choices(KINDS, [12, 4, 1, 1, 1])[0],
            artist=rng.choice([None, *[f"a{track // 3}"] * 5]),
            ms_played=rng.choice([None, 1_000, 60_000]),
            scope=rng.choice(["track", "artist"]),
        )
        made.append(made[-rng.randrange(1, 9)] if len(made) > 9 and rng.random() < 0.03 else event)
    return made


@pytest.mark.parametrize(
    "taste",
    [
        TasteSettings(
            max_tracks=60, max_artists=20, max_recent=100, max_past=SEGMENT - 1, max_event_ids=20, max_marks=10
        ),
        TasteSettings(
            max_tracks=200, max_artists=33, max_recent=700, max_past=1_000, half_life_days=0.5, love=1e9, skip=-0.7
        ),
        TasteSettings(),
        TasteSettings(max_recent=256, max_past=12_288),
    ],
    ids=["small", "quick to forget", "default", "long past"],
)
def test_a_long_log_with_much_forgetting_gives_the_same(taste: TasteSettings) -> None:
    rng = random.Random(11)
    profile, slow = Profile(), Slow()
    log = some_log(rng, 4_000, 5_000)
    assert len({event.track_id for event in log}) > 1.2 * taste.max_tracks
    for offset, event in enumerate(log):
        fold(profile, event, offset, taste)
        slow.fold(event, offset, taste)
        if rng.random() < 0.01:
            profile = Profile.decode(profile.encode())
        if offset % 500 == 0:
            assert_same(profile, slow)
    assert_same(profile, slow)
    assert taste.max_recent <= len(slow.recent) < taste.max_recent + SEGMENT
    assert len(slow.artists) >= taste.max_artists
    assert len(slow.tracks) >= taste.max_tracks


def test_a_profile_from_bytes_finds_its_keys_by_scan_and_by_table() -> None:
    profile = Profile()
    for number in range(300):
        fold(profile, Listen(f"e{number}", "ann", f"t{number}", NOON * 1000), number, TasteSettings())
    again = Profile.decode(profile.encode())
    for number in range(SCANS + 5):  # the last of these no longer scan
        assert again.tracks.place(key_of(f"t{299 - number}")) == 299 - number
        assert again.tracks.place(key_of(f"unknown {number}")) == -1
    assert again.tracks._places is not None
    assert again.tracks.place(key_of("t5") ^ 1) == 5  # known by the first 40 bits alone
    assert again.tracks.place(key_of("t5") ^ 1 << 23) == -1
    assert key_of("t5") in again.tracks
    with pytest.raises(KeyError):
        again.tracks[key_of("unknown")]


def parted() -> Profile:
    """One that counts."""
    profile = Profile()
    for number, kind in enumerate(("play", "skip")):
        fold(profile, Listen(f"e{number}", "ann", "t", NOON * 1000, kind), number, TasteSettings())  # type: ignore[arg-type]  # a literal
    profile.part()
    return profile


def test_hours_are_halved_before_one_outgrows_its_bits() -> None:
    profile = parted()
    profile.by_hour[3], profile.by_hour[4] = 65_535, 7
    profile.heard(0, 3 * 3600, True)
    assert (profile.hours[3], profile.hours[4]) == (32_768, 3)


@pytest.mark.parametrize("which", [0, 1])
def test_counts_take_more_bits_and_stop_at_the_end_of_these(which: int) -> None:
    profile = parted()
    for count in range(1, 300):
        assert profile.by_track()[short(key_of("t"))][2 + which] == count
        assert Profile.decode(profile.encode()).encode() == profile.encode()
        profile.heard(0, NOON, which == 0)
    profile.tracks.counts[which][0] = 65_534
    profile.heard(0, NOON, which == 0)
    profile.heard(0, NOON, which == 0)
    assert profile.by_track()[short(key_of("t"))][2 + which] == 65_535


def test_a_profile_is_whole_until_its_plays_do_not_tell_all() -> None:
    def folded(*kinds: Kind, taste: TasteSettings) -> bool:
        profile = Profile()
        for number, kind in enumerate(kinds):
            fold(profile, Listen(f"e{number}", "ann", "t", (NOON + number) * 1000, kind), number, taste)
        assert Profile.decode(profile.encode()).whole == profile.whole
        return profile.whole

    assert folded(*["play"] * 5, "skip", "ban", taste=TasteSettings())
    assert not folded("play", "love", taste=TasteSettings())
    assert folded(*["play"] * 5, taste=SMALL)
    assert not folded(*["play"] * 6, taste=SMALL)


@pytest.mark.parametrize("most", [1, 2])
def test_the_smallest_bounds_are_bounds(most: int) -> None:
    """With `max_tracks` 1 nothing was ever forgotten."""
    profile, taste = Profile(), TasteSettings(max_tracks=most, max_recent=3, max_past=0)
    for number in range(20):
        listen = Listen(f"e{number}", "ann", f"t{number}", (NOON + number) * 1000)
        fold(profile, listen, number, taste)
        assert len(profile.tracks) <= most + 3
    assert {key_of(f"t{number}") >> 23 << 23 for number in (17, 18, 19)} <= set(profile.tracks)


def test_a_profile_full_of_everything_has_the_size_that_the_docs_say() -> None:
    profile, taste = Profile(), TasteSettings()
    number, second = 0, NOON

    def take(kind: Kind, name: str, artist: str | None, scope: str = "track", apart: int = 10_000) -> None:
        nonlocal number, second
        number, second = number + 1, second + apart
        at = second * 1000
        fold(profile, Listen(f"e{number}", "ann", name, at, kind, artist, scope=scope), number, taste)  # type: ignore[arg-type]  # a literal

    for at in range(600):
        take("ban", f"b{at}", None)
        take("ban", "", f"b{at}", "artist")
        take("love", f"l{at}", None)
        take("love", "", f"l{at}", "artist")
    largest = unmarked = 0
    for _ in range(300):  # counts that need 16 bits
        take("play", "often", "a")
    for at in range(1_100):
        name = f"t{at}" if at % 100 else "often"
        take("skip" if at % 3 else "play", name, "a", apart=1_100_000)  # 13 days: no gap is short
        largest = max(largest, len(profile.head()))
    unmarked = largest - 8 * 2_000 - 20
    assert (largest, unmarked) == (48_853, 32_833)  # 50 KB, 34 KB: docs/taste.md, docs/metrics.md
