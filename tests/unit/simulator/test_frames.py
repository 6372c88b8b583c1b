"""The frames say the same as the messages."""

import numpy as np
from msgspec import convert

from schemas.events import Listen
from schemas.track import Track
from services.simulator.crowd import make_crowd
from services.simulator.frames import heard_by, listens_frame, tracks_frame
from services.simulator.settings import CrowdSettings
from tests.unit.simulator.conftest import Lived

TINY = CrowdSettings(listeners=20, artists=60, tracks=600, sessions_a_day=4.0, love_level=-3.0, ban_level=-3.0)


def test_listens_frame_holds_the_listens() -> None:
    crowd = make_crowd(TINY, np.random.default_rng(1))
    crowd.history(2)
    history = crowd.history(3)
    frame = listens_frame(history)
    assert tuple(frame.columns) == Listen.__struct_fields__
    assert set(frame["kind"]) == {"play", "skip", "love", "ban"}
    assert [convert(row, Listen) for row in frame.iter_rows(named=True)] == list(history.listens())


def test_a_long_history_is_told_in_blocks_but_numbered_through(lived: Lived) -> None:
    told = [listen.event_id for listen in lived.history.listens()]
    assert len(told) > 150_000
    assert told == lived.listens["event_id"].to_list()
    assert len(set(told)) == len(told)


def test_tracks_frame_holds_the_tracks() -> None:
    tracks = make_crowd(TINY, np.random.default_rng(1)).tracks()
    frame = tracks_frame(tracks)
    assert [convert(row, Track) for row in frame.iter_rows(named=True)] == tracks
    assert set(frame.columns) == set(Track.__struct_fields__) - {"labels"}


def test_no_days_make_empty_frames_with_the_same_columns() -> None:
    crowd = make_crowd(TINY, np.random.default_rng(1))
    empty = listens_frame(crowd.history(0))
    assert empty.is_empty()
    assert empty.schema == listens_frame(crowd.history(1)).schema
    assert tracks_frame([]).schema == tracks_frame(crowd.tracks()).schema


def test_heard_is_what_was_started() -> None:
    history = make_crowd(TINY, np.random.default_rng(1)).history(3)
    expected: dict[str, set[str]] = {}
    for listen in history.listens():
        if listen.kind in ("play", "skip"):
            expected.setdefault(listen.user_id, set()).add(listen.track_id)
    assert heard_by(listens_frame(history)) == expected
