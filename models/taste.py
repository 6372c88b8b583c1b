"""Folding listens into a profile: what a listener's events say about their taste.

`fold` is the only thing that changes a profile. It is deterministic: no clock, no randomness, integers only in what is
kept, so folding a log in its order gives the same profile, byte for byte, wherever and in whatever batches it is done.

Weights decay exponentially in *event* time (half-life `half_life_days`), each from a stored time of its own, the begin
of the step of 18 hours that its newest event fell into: w(t) = w · 2^(−(t − step)/half_life). So a gain at t is put in
as gain · 2^((t − step)/half_life); a listen that comes late is decayed by the same rule, and lands where it belongs.
Weights are fixed-point, UNIT to one play.
"""

from array import array
from math import exp2, log2

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ids import artist_key_of, cached_key_of, key_of
from models.profile import SEGMENT, Profile
from models.tastes import STEP_BITS, Tastes
from schemas.events import Listen

UNIT = 128
MOST = 2**15 - 1  # a weight is kept in 16 bits: 256 plays
DAY = 86_400


class TasteSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The one table of what counts, read by profiler, trainer and evaluation alike (docs/taste.md: worked examples)."""

    play_ms: int = 30_000  # a play this long is positive …
    play_share: float = 0.5  # … or of this share of the track; a skip before both is negative
    play: float = 1.0  # weight of a positive play
    skip: float = -0.5  # weight of a negative one
    love: float = 5.0  # weight of a love
    half_life_days: float = 14.0
    max_tracks: int = 1_000  # the strongest are kept, and those played lately
    max_artists: int = 0  # no list asks: an artist weighs what their tracks do
    max_recent: int = 256  # newest plays; with a past at least, a segment's worth more before the oldest go there
    max_past: int = 12_288  # plays behind them, in whole segments of 256
    note_met: bool = True  # what leaves the newest plays is noted for good, in 8 KB
    max_event_ids: int = 32  # how many events back a producer's repeat is recognised
    max_marks: int = 500  # loved and banned tracks and artists, each


def is_positive(listen: Listen, settings: TasteSettings) -> bool:
    """Whether a play or skip speaks for the track: heard for `play_ms` or for `play_share` of it.

    Without `ms_played` a play was heard to the end and a skip was not heard.
    """
    heard = listen.ms_played
    if heard is None:
        return listen.kind == "play"
    if heard >= settings.play_ms:
        return True
    return bool(listen.duration_ms) and heard >= settings.play_share * (listen.duration_ms or 0)


def fold(profile: Profile, listen: Listen, offset: int, settings: TasteSettings) -> bool:
    """Take one listen into its listener's profile, in place; true when it changed anything.

    An event id that is among the listener's recent ones is a producer's repeat and changes nothing.
    """
    if not profile.remember(key_of(listen.event_id), settings.max_event_ids):
        return False
    second = listen.listened_at // 1000
    profile.version = offset
    if second > profile.newest:
        profile.newest = second
    if listen.kind in ("play", "skip"):
        _fold_play(profile, listen, second, settings)
    else:
        _fold_mark(profile, listen, second, settings)
    return True


def _fold_play(profile: Profile, listen: Listen, second: int, settings: TasteSettings) -> None:
    positive = is_positive(listen, settings)
    gain = UNIT * (settings.play if positive else settings.skip)
    place = _add_track(profile, cached_key_of(listen.track_id), gain, second, settings)
    if not profile.whole:
        profile.heard(place, second, positive)
    if listen.artist is not None and settings.max_artists:
        _add_artist(profile, listen.artist, gain, second, settings)
    profile.play_recently(place, second, positive, settings.max_recent, settings.max_past, settings.note_met)


def _fold_mark(profile: Profile, listen: Listen, second: int, settings: TasteSettings) -> None:
    of_artist = listen.scope == "artist"
    loved, banned = (profile.loved_artists, profile.banned_artists) if of_artist else (profile.loved, profile.banned)
    key = artist_key_of(listen.artist or "") if of_artist else cached_key_of(listen.track_id)
    if listen.kind == "unban":
        _take_out(banned, key)
        return
    chosen, other = (loved, banned) if listen.kind == "love" else (banned, loved)
    _take_out(other, key)
    _take_out(chosen, key)  # the newest mark is the last to be forgotten
    chosen.append(key)
    if len(chosen) > settings.max_marks:
        del chosen[0]
    if listen.kind == "love":
        gain = UNIT * settings.love
        if not of_artist:
            _add_track(profile, key, gain, second, settings)
            profile.part()  # no play tells of it
        if listen.artist is not None and settings.max_artists:
            _add_artist(profile, listen.artist, gain, second, settings)


def _take_out(marks: "array[int]", key: int) -> None:
    if key in marks:
        marks.remove(key)


def most_tracks(settings: TasteSettings) -> int:
    """How many tracks a profile ever has: an eighth more than `max_tracks`, and those played lately."""
    return settings.max_tracks + settings.max_tracks // 8 + most_latest(settings)


def most_latest(settings: TasteSettings) -> int:
    """How many latest plays a profile ever has."""
    return settings.max_recent + (SEGMENT - 1 if settings.max_past >= SEGMENT else 0)


def _add_track(profile: Profile, key: int, gain: float, second: int, settings: TasteSettings) -> int:
    """Add to a track's weight, making room when it is new to full columns; its place."""
    tracks, half_life = profile.tracks, settings.half_life_days * DAY
    place = tracks.place(key)
    if place < 0 and len(tracks.tops) >= most_tracks(settings):
        strongest = _strongest(tracks, settings.max_tracks - 1, half_life)
        profile.keep_tracks(np.union1d(strongest, profile.latest.columns().places))
    return _add(tracks, key, place, gain, second, half_life)


def _add_artist(profile: Profile, name: str, gain: float, second: int, settings: TasteSettings) -> None:
    artists, half_life = profile.artists, settings.half_life_days * DAY
    key = artist_key_of(name)
    place = artists.place(key)
    if place < 0 and len(artists) >= settings.max_artists + settings.max_artists // 8:
        artists.keep(_strongest(artists, settings.max_artists - 1, half_life))
    _add(artists, key, place, gain, second, half_life)


def _add(tastes: Tastes, key: int, place: int, gain: float, second: int, half_life: float) -> int:
    """Add to the weight of a key that stands at `place` (−1: nowhere yet); its place."""
    step, weights = second >> STEP_BITS, tastes.weights
    weight = 0.0
    if place < 0:
        place = tastes.append(key, step)
    else:
        last = tastes.lasts[place]
        weight = weights[place]
        if step > last:
            weight *= exp2((last - step << STEP_BITS) / half_life)
            tastes.lasts[place] = step
        else:
            step = last
    found = round(weight + gain * exp2((second - (step << STEP_BITS)) / half_life))
    weights[place] = found if -MOST <= found <= MOST else MOST if found > 0 else -MOST
    return place


def _strongest(tastes: Tastes, keep: int, half_life: float) -> NDArray[np.intp]:
    """Places of what weighs most once all is decayed to one time, in rising order.

    log2 of the decayed weight orders them the same and cannot underflow; the key breaks ties. It is libm's log2 and
    not numpy's, whose last bit depends on the processor: what is kept would too.
    """
    logs = np.fromiter((log2(abs(weight) + 1) for weight in tastes.weights), np.float64, len(tastes))
    strengths = logs + (np.frombuffer(tastes.lasts, np.uint16) * float(1 << STEP_BITS)) / half_life
    order = np.lexsort((np.fromiter(tastes, np.int64, len(tastes)), strengths))
    return np.sort(order[len(order) - keep :])
