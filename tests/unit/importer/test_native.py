from schemas.codec import encode
from schemas.events import Listen
from schemas.track import Track
from services.importer.tables import LISTENS, TRACKS, encode_listens, encode_tracks
from tests.unit.importer.conftest import Read

LISTEN = Listen("e1", "u", "t", 1_700_000_000_000, "ban", "Ann", 1, 2, "artist", True, "l1", "app:x")
TRACK = Track("t", "Song", "Ann", "LP", 1999, 1000, "m", "jazz", {"mood": "calm"}, "la la", "file:///x.mp3")


def test_messages_pass_through_unchanged(read: Read) -> None:
    found = read("all.jsonl", b"\n".join([encode(TRACK), encode(LISTEN), b'{"title": 3}']))
    assert encode_listens(found.listens) == [encode(LISTEN)]
    assert list(encode_tracks(found.tracks)) == [("t", encode(TRACK))]
    assert [told[:19] for told in found.bad] == ["all.jsonl: line 3: "]


def test_a_listen_keeps_its_id_and_says_where_it_is_from(read: Read) -> None:
    text = '{"event_id":"mine","user_id":"u","track_id":"t","listened_at":1700000000000}'
    assert read("x.jsonl", text).listens.select("event_id", "source", "artist").rows() == [
        ("mine", "import:jsonl", None)
    ]


def test_faults_are_told_with_their_path(read: Read) -> None:
    lines = [
        '{"event_id":"a","user_id":"u","track_id":"t","listened_at":"now"}',
        '{"event_id":"","user_id":"u","track_id":"t","listened_at":1700000000000}',
        '{"event_id":"c","user_id":"u","track_id":"t","listened_at":17000}',
        '{"event_id":"d","user_id":"u","track_id":"t","listened_at":1700000000000,"scope":"artist"}',
        '{"event_id":"e","user_id":"u"',
    ]
    found = read("x.jsonl", "\n".join(lines), "jsonl")
    assert found.listens.height == 0
    assert found.bad[0] == "x.jsonl: line 1: listened_at: Expected `int`, got `str`"
    assert found.bad[1].startswith("x.jsonl: line 2: event_id: ")
    assert "x.jsonl: line 3: listened_at: is before 1995" in found.bad
    assert "x.jsonl: line 4: artist: is missing, but scope is artist" in found.bad
    assert any(told.startswith("x.jsonl: line 5: ") for told in found.bad)


def test_the_columns_are_the_fields() -> None:
    assert tuple(LISTENS) == Listen.__struct_fields__
    assert tuple(TRACKS) == Track.__struct_fields__
