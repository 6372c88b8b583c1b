"""Folding listens into a profile: what a listener's events say about their taste.

`fold` is the only thing that changes a profile. It is deterministic: no clock, no randomness, integers only in what is
kept, so folding a log in its order gives the same profile, byte for byte, wherever and in whatever batches it is done.

Weights decay exponentially in *event* time (half-life `half_life_days`), each from the stored time of its own newest
event: w(t) = w · 2^(−(t − last)/half_life). A listen that comes late is decayed before it is added, so it lands where
it belongs. Weights are fixed-point, UNIT to one play.
"""

from math import exp2, log2

from msgspec import Struct

from models.ids import artist_key_of, cached_key_of, key_of
from models.profile import Profile, TrackTaste
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
    max_recent: int = 100  # newest plays
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
    entry = _add_track(profile, track, gain, second, settings)
    if positive:
        entry[2] = min(entry[2] + 1, 65_535)
        profile.plays += 1
        profile.heard_at_hour(second // 3600 % 24)
    else:
        entry[3] = min(entry[3] + 1, 65_535)
        profile.skips += 1
    if listen.artist is not None:
        _add_artist(profile, artist_key_of(listen.artist), gain, second, settings)
    profile.play_recently(track, second, positive, settings.max_recent)


def _fold_mark(profile: Profile, listen: Listen, second: int, settings: TasteSettings) -> None:
    of_artist = listen.scope == "artist"
    loved, banned = (profile.loved_artists, profile.banned_artists) if of_artist else (profile.loved, profile.banned)
    key = artist_key_of(listen.artist or "") if of_artist else cached_key_of(listen.track_id)
    if listen.kind == "unban":
        banned.pop(key, None)
        return
    chosen, other = (loved, banned) if listen.kind == "love" else (banned, loved)
    other.pop(key, None)
    chosen.pop(key, None)  # the newest mark is the last to be forgotten
    chosen[key] = None
    if len(chosen) > settings.max_marks:
        del chosen[next(iter(chosen))]
    if listen.kind == "love":
        gain = round(UNIT * settings.love)
        if not of_artist:
            _add_track(profile, key, gain, second, settings)
        if listen.artist is not None:
            _add_artist(profile, artist_key_of(listen.artist), gain, second, settings)


def _decayed_sum(weight: int, last: int, gain: int, second: int, half_life: float) -> int:
    """The weight at the later of the two times."""
    if second >= last:
        total = round(weight * exp2((last - second) / half_life)) + gain
    else:
        total = weight + round(gain * exp2((second - last) / half_life))
    return max(-MOST, min(MOST, total))


def _add_track(profile: Profile, key: int, gain: int, second: int, settings: TasteSettings) -> TrackTaste:
    half_life = settings.half_life_days * DAY
    entry = profile.tracks.get(key)
    if entry is None:
        if len(profile.tracks) >= settings.max_tracks + settings.max_tracks // 8:
            profile.tracks = _strongest(profile.tracks, settings.max_tracks - 1, half_life)
        entry = profile.tracks[key] = [gain, second, 0, 0]
        return entry
    entry[0] = _decayed_sum(entry[0], entry[1], gain, second, half_life)
    entry[1] = max(entry[1], second)
    return entry


def _add_artist(profile: Profile, key: int, gain: int, second: int, settings: TasteSettings) -> None:
    half_life = settings.half_life_days * DAY
    entry = profile.artists.get(key)
    if entry is None:
        if len(profile.artists) >= settings.max_artists + settings.max_artists // 8:
            profile.artists = _strongest(profile.artists, settings.max_artists - 1, half_life)
        profile.artists[key] = [gain, second]
        return
    entry[0] = _decayed_sum(entry[0], entry[1], gain, second, half_life)
    entry[1] = max(entry[1], second)


def _strongest(entries: dict[int, list[int]], keep: int, half_life: float) -> dict[int, list[int]]:
    """The entries that weigh most once all are decayed to one time, in the order they had.

    log2 of the decayed weight orders them the same and cannot underflow; the key breaks ties.
    """

    def strength(key: int) -> tuple[float, int]:
        weight, last = entries[key][:2]
        return log2(abs(weight) + 1) + last / half_life, key

    kept = set(sorted(entries, key=strength)[-keep:])
    return {key: entry for key, entry in entries.items() if key in kept}
