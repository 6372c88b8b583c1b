import io
import json
import zipfile

import pytest

from services.importer.rows import BadOption
from tests.unit.importer.conftest import Read


def extended(**changes: object) -> dict[str, object]:
    return {
        "ts": "2023-03-19T18:31:37Z",
        "ms_played": 174_424,
        "master_metadata_track_name": "Song",
        "master_metadata_album_artist_name": "Ann",
        "master_metadata_album_album_name": "LP",
        "spotify_track_uri": "spotify:track:1234567890123456789012",
        "episode_name": None,
        "spotify_episode_uri": None,
        "skipped": True,
        **changes,
    }


NAMELESS = {"master_metadata_track_name": None, "master_metadata_album_artist_name": None, "spotify_track_uri": None}


def test_an_extended_stream_is_a_listen_that_began_when_it_had_not_yet_ended(read: Read) -> None:
    found = read("Streaming_History_Audio_2023_0.json", json.dumps([extended()]), user="me")
    assert found.bad == []
    [row] = found.listens.to_dicts()
    assert row["listened_at"] == 1_679_250_697_000 - 174_424
    assert (row["user_id"], row["kind"], row["ms_played"], row["artist"]) == ("me", "play", 174_424, "Ann")
    assert row["track_id"] == "spotify:track:1234567890123456789012"
    assert found.tracks.select("title", "artist", "release").rows() == [("Song", "Ann", "LP")]


def test_an_account_stream_has_minutes_and_no_track_id(read: Read) -> None:
    stream = {"endTime": "2024-02-03 10:11", "artistName": "Ann", "trackName": "Song", "msPlayed": 60_000}
    found = read("StreamingHistory_music_0.json", json.dumps([stream, stream]), user="me")
    assert found.listens.select("track_id", "listened_at", "ms_played").row(0) == (
        "Ann␟Song",
        1_706_955_000_000,
        60_000,
    )
    assert found.listens["event_id"].n_unique() == 2  # two plays within a minute can be just alike


def test_what_is_not_music_is_left_out_and_counted(read: Read) -> None:
    streams = [
        extended(),
        extended(**NAMELESS, episode_name="E", spotify_episode_uri="spotify:episode:1"),
        extended(**NAMELESS, audiobook_title="B"),
        extended(**NAMELESS),
        {"endTime": "2024-02-03 10:11", "podcastName": "P", "episodeName": "E", "msPlayed": 1},
    ]
    found = read("endsong_0.json", json.dumps(streams), user="me")
    assert (found.listens.height, found.bad) == (1, [])
    assert found.left_out == {"podcast": 2, "audiobook": 1, "without a name": 1}


def test_a_user_must_be_named(read: Read) -> None:
    with pytest.raises(BadOption, match="--user"):
        read("endsong_0.json", json.dumps([extended()]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ms_played": "long"}, "item 2: ms_played: Expected `int | null`, got `str`"),
        ({"ts": "yesterday"}, "item 2: listened_at: is missing or no time that can be read"),
        ({"ts": "2093-03-19T18:31:37Z"}, "item 2: listened_at: is in the future"),
        ({"ms_played": -5}, "item 2: ms_played: is no count of milliseconds"),
    ],
)
def test_a_bad_stream_is_told_and_the_others_go_in(read: Read, changes: dict[str, object], told: str) -> None:
    streams = [extended(), extended(**changes), extended(ts="2023-03-19T18:41:37Z")]
    found = read("endsong_1.json", json.dumps(streams), user="me")
    assert found.bad == [f"endsong_1.json: {told}"]
    assert found.listens.height == 2


def test_a_broken_array_gives_what_can_be_told_apart(read: Read) -> None:
    whole = json.dumps([extended(ts=f"2023-03-19T18:3{n}:37Z") for n in range(5)], indent=1)
    truncated = read("endsong_2.json", whole[:-40], user="me")
    assert truncated.listens.height == 4
    assert truncated.bad[0].startswith("endsong_2.json: item 5: ")
    broken = whole.replace('"ms_played": 174424', '"ms_played": NaN', 2).replace("NaN", "174424", 1)
    found = read("endsong_3.json", broken, user="me")
    assert (found.listens.height, len(found.bad)) == (4, 1)


def test_a_zip_of_exports_is_read_and_its_other_files_are_not(read: Read) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "Spotify Extended Streaming History/Streaming_History_Audio_2023_0.json", json.dumps([extended()])
        )
        archive.writestr(
            "Spotify Extended Streaming History/endsong_9.json", json.dumps([extended(ts="2020-01-01T00:00:00Z")])
        )
        archive.writestr("MyData/Userdata.json", json.dumps({"username": "x"}))
    found = read("my_spotify_data.zip", packed.getvalue(), user="me")
    assert (found.listens.height, found.bad) == (2, [])
    assert found.listens["listened_at"].is_sorted()
