"""The same seed gives the same events, however the time is cut; and every size that is allowed works."""

from collections.abc import Iterable
from itertools import islice

import numpy as np
import pytest

from schemas.codec import decode, encode
from schemas.events import Listen
from schemas.track import Track
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.settings import DAY_MS, CrowdSettings

TINY = CrowdSettings(listeners=40, artists=60, tracks=600, sessions_a_day=4.0)


def crowd(seed: int = 5, settings: CrowdSettings = TINY) -> Crowd:
    return make_crowd(settings, np.random.default_rng(seed))


def as_bytes(messages: Iterable[Listen | Track]) -> list[bytes]:
    return [encode(message) for message in messages]


def test_same_seed_same_bytes_and_another_seed_other_bytes() -> None:
    one = as_bytes(crowd(5).history(6).messages())
    assert one == as_bytes(crowd(5).history(6).messages())
    other = as_bytes(crowd(6).history(6).messages())
    assert not set(one) & set(other)


def test_history_in_pieces_is_the_history() -> None:
    pieces = crowd()
    assert as_bytes(crowd().history(9).messages()) == as_bytes(
        message for days in (0, 4, 5) for message in pieces.history(days).messages()
    )


def test_live_goes_on_where_the_history_ended_as_if_it_had_been_history() -> None:
    whole = as_bytes(crowd().history(9).messages())
    both = crowd()
    past = as_bytes(both.history(4).messages())
    assert 1_000 < len(past) < len(whole) - 1_000
    assert past + as_bytes(islice(both.stream(), len(whole) - len(past))) == whole


def test_live_alone_is_the_history_without_the_tracks() -> None:
    listens = as_bytes(crowd().history(3).listens())
    assert as_bytes(islice(crowd().live(), len(listens))) == listens


def test_event_ids_are_distinct_and_tell_two_crowds_apart() -> None:
    one = [listen.event_id for listen in crowd().history(5).listens()]
    assert len(set(one)) == len(one)
    larger = CrowdSettings(**{**{f: getattr(TINY, f) for f in TINY.__struct_fields__}, "listeners": 41})
    assert not set(one) & {listen.event_id for listen in crowd(5, larger).history(5).listens()}


def test_ids_look_as_promised() -> None:
    small = crowd()
    assert small.user_ids[7] == "listener-00007"
    assert small.track_ids[42] == "track-000042"
    assert len(small.track_ids) == TINY.tracks


def test_days_are_complete_in_themselves() -> None:
    small = crowd()
    begin = small.now_ms
    assert begin % DAY_MS == 4 * 3_600_000
    times = [listen.listened_at for listen in small.history(5).listens()]
    assert times == sorted(times)
    assert begin <= times[0]
    assert times[-1] < small.now_ms == begin + 5 * DAY_MS


def test_progress_is_told_after_each_day() -> None:
    told: list[int] = []
    crowd().history(3, told.append)
    assert told == [1, 2, 3]


def test_negative_days_are_refused() -> None:
    with pytest.raises(ValueError, match=r"history\(days=-1\)"):
        crowd().history(-1)


@pytest.mark.parametrize(
    "settings",
    [
        CrowdSettings(listeners=1, artists=1, tracks=1, genres=1, tastes=1, favourites=1),
        CrowdSettings(listeners=3, artists=12, tracks=12, new_share=1.0),
        CrowdSettings(listeners=5, artists=12, tracks=300, new_share=0.0, repeat_share=0.0, album_share=1.0),
        CrowdSettings(listeners=5, artists=12, tracks=300, repeat_share=1.0, explore_share=1.0, favourite_share=0.0),
        CrowdSettings(listeners=5, artists=12, tracks=300, longest_session=3, memory=3, sessions_a_day=20.0),
        CrowdSettings(listeners=4, artists=12, tracks=40, ban_level=3.0, skip_level=3.0, love_level=3.0),
        CrowdSettings(listeners=4, artists=12, tracks=40, sessions_a_day=0.05),
    ],
)
def test_every_size_that_is_allowed_gives_sound_messages(settings: CrowdSettings) -> None:
    whole = as_bytes(crowd(1, settings).history(20).messages())
    both = crowd(1, settings)
    past = as_bytes(both.history(7).messages())
    assert past + as_bytes(islice(both.stream(), len(whole) - len(past))) == whole
    for data in whole:
        message = decode(Listen if b"listened_at" in data else Track, data)
        if isinstance(message, Listen) and message.ms_played is not None:
            assert message.duration_ms is not None
            assert 0 < message.ms_played <= message.duration_ms


@pytest.mark.parametrize(
    ("field", "value"),
    [("repeat_share", 1.2), ("listeners", 0), ("genres", 99), ("tracks", 10), ("longest_session", 0)],
)
def test_a_setting_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"CrowdSettings\.{field} is"):
        CrowdSettings(**{field: value})  # type: ignore[arg-type]  # floats and ints alike
