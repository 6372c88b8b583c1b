"""Folding listens into a profile: what a listener's events say about their taste.

`fold` is the only thing that changes a profile. It is deterministic: no clock, no randomness, integers only in what is
kept, so folding a log in its order gives the same profile, byte for byte, wherever and in whatever batches it is done.

Weights decay exponentially in *event* time (half-life `half_life_days`), each from the stored time of its own newest
event: w(t) = w · 2^(−(t − last)/half_life). A listen that comes late is decayed before it is added, so it lands where
it belongs. Weights are fixed-point, UNIT to one play.
"""

from array import array
from math import exp2, log2

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.ids import artist_key_of, cached_key_of, key_of
from models.profile import Profile
from models.tastes import Tastes
from schemas.events import Listen

UNIT = 1024
MOST = 2**31 - 1  # a weight is kept in 32 bits
DAY = 86_400


class TasteSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The one table of what counts, read by profiler, trainer and evaluation alike (docs/taste.md: worked examples)."""

    play_ms: int = 30_000  # a play this long is positive …
    play_share: float = 0.5  # … or of this share of the track; a skip before both is negative
    play: float = 1.0  # weight of a positive play
    skip: float = -0.5  # weight of a negative one
    love: float = 5.0  # weight of a love
    half_life_days: float = 14.0
    max_tracks: int = 1_000  # the strongest are kept
    max_artists: int = 250
    max_recent: int = 256  # newest plays, at least; a segment's worth more before the oldest go to the past
    max_past: int = 12_288  # plays behind them, in whole segments of 256
    max_event_ids: int = 128  # how many events back a producer's repeat is recognised
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
    event = key_of(listen.event_id)
    if not profile.remember(event, settings.max_event_ids):
        return False
    second = listen.listened_at // 1000
    profile.version = offset
    profile.newest = max(profile.newest, second)
    if listen.kind in ("play", "skip"):
        _fold_play(profile, listen, second, settings)
    else:
        _fold_mark(profile, listen, second, settings)
    return True


def _fold_play(profile: Profile, listen: Listen, second: int, settings: TasteSettings) -> None:
    positive = is_positive(listen, settings)
    track = cached_key_of(listen.track_id)
    gain = round(UNIT * (settings.play if positive else settings.skip))
    place = _add(profile.tracks, track, gain, second, settings.max_tracks, settings)
    plays, skips = profile.tracks.counts
    if positive:
        plays[place] = min(plays[place] + 1, 65_535)
        profile.plays += 1
        profile.heard_at_hour(second // 3600 % 24)
    else:
        skips[place] = min(skips[place] + 1, 65_535)
        profile.skips += 1
    if listen.artist is not None:
        _add(profile.artists, artist_key_of(listen.artist), gain, second, settings.max_artists, settings)
    profile.play_recently(track, second, positive, settings.max_recent, settings.max_past)


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
        gain = round(UNIT * settings.love)
        if not of_artist:
            _add(profile.tracks, key, gain, second, settings.max_tracks, settings)
        if listen.artist is not None:
            _add(profile.artists, artist_key_of(listen.artist), gain, second, settings.max_artists, settings)


def _take_out(marks: "array[int]", key: int) -> None:
    if key in marks:
        marks.remove(key)


def _add(tastes: Tastes, key: int, gain: int, second: int, most: int, settings: TasteSettings) -> int:
    """Add to a key's weight, making room when it is new to full columns; its place."""
    half_life = settings.half_life_days * DAY
    place = tastes.place(key)
    if place < 0:
        if len(tastes) >= most + most // 8:
            tastes.keep(_strongest(tastes, most - 1, half_life))
        return tastes.append(key, max(-MOST, min(MOST, gain)), second)
    last = tastes.lasts[place]
    tastes.weights[place] = _decayed_sum(tastes.weights[place], last, gain, second, half_life)
    if second > last:
        tastes.lasts[place] = second
    return place


def _decayed_sum(weight: int, last: int, gain: int, second: int, half_life: float) -> int:
    """The weight at the later of the two times."""
    if second >= last:
        total = round(weight * exp2((last - second) / half_life)) + gain
    else:
        total = weight + round(gain * exp2((second - last) / half_life))
    return max(-MOST, min(MOST, total))


def _strongest(tastes: Tastes, keep: int, half_life: float) -> NDArray[np.intp]:
    """Places of what weighs most once all is decayed to one time, in rising order.

    log2 of the decayed weight orders them the same and cannot underflow; the key breaks ties. It is libm's log2 and
    not numpy's, whose last bit depends on the processor: what is kept would too.
    """
    logs = np.fromiter((log2(abs(weight) + 1) for weight in tastes.weights), np.float64, len(tastes))
    strengths = logs + np.frombuffer(tastes.lasts, np.uint32) / half_life
    order = np.lexsort((np.frombuffer(tastes.ids, np.int64), strengths))
    return np.sort(order[len(order) - keep :])
