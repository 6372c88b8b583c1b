from schemas.codec import encode
from schemas.events import Listen
from schemas.track import Track
from services.trainer.columns import LISTENS, TRACKS, Record, listens, tracks

NOW = 1_700_000_000_000


def record(offset: int, listen: Listen, key: bytes | None = b"u") -> Record:
    return Record(offset, NOW, key, encode(listen))


def a_listen(**changes: object) -> Listen:
    return Listen(**{"event_id": "e", "user_id": "u", "track_id": "t", "listened_at": NOW, **changes})  # type: ignore[arg-type]  # of a test


def test_every_field_of_a_listen_is_kept() -> None:
    whole = a_listen(kind="skip", artist="A", ms_played=5, duration_ms=9, organic=True, list_id="l", source="s")
    frame, poison = listens([record(7, whole)])
    assert not poison
    assert frame.schema == LISTENS
    row = frame.row(0, named=True)
    assert (row.pop("offset"), row.pop("appended_ms")) == (7, NOW)
    assert row == {name: getattr(whole, name) for name in Listen.__struct_fields__}


def test_what_is_no_listen_is_left_out_and_counted_by_cause() -> None:
    frame, poison = listens(
        [
            Record(0, NOW, b"u", b"{"),
            Record(1, NOW, b"u", None),
            record(2, a_listen()),
            record(3, a_listen(), key=b"somebody else"),
            record(4, a_listen(listened_at=NOW + 3 * 86_400_000)),
            record(5, a_listen(listened_at=1_700_000_000)),
            Record(6, NOW, b"u", b'{"event_id": "e"}'),
        ]
    )
    assert frame["offset"].to_list() == [2]
    assert poison == {"bad-json": 1, "empty": 1, "bad-key": 1, "future": 1, "too-early": 1, "bad-schema": 1}


def test_no_records_make_an_empty_frame_of_the_same_columns() -> None:
    assert listens([])[0].schema == LISTENS
    assert tracks([])[0].schema == TRACKS


def test_tracks_and_their_removals() -> None:
    good = Track(track_id="t", title="T", artist="A", year=1999, lyrics="la la")
    frame, poison = tracks(
        [
            Record(0, NOW, b"t", encode(good)),
            Record(1, NOW, b"gone", None),
            Record(2, NOW, b"other", encode(good)),
            Record(3, NOW, None, encode(good)),
            Record(4, NOW, b"\xff", None),
            Record(5, NOW, b"t", b"nonsense"),
        ]
    )
    assert frame.select("track_id", "title", "year", "gone").rows() == [
        ("t", "T", 1999, False),
        ("gone", None, None, True),
    ]
    assert poison == {"bad-key": 3, "bad-json": 1}


def test_lyrics_and_labels_of_a_track_are_kept() -> None:
    sung = Track(track_id="t", title="T", artist="A", lyrics="la la", labels={"topic": "night"})
    silent = Track(track_id="s", title="S", artist="A")
    frame, _ = tracks([Record(0, NOW, b"t", encode(sung)), Record(1, NOW, b"s", encode(silent))])
    assert frame.select("lyrics", "labels").rows() == [("la la", '{"topic":"night"}'), (None, None)]
