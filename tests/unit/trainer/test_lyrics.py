"""Tracks with lyrics on the topic, to a release that picks topics, by the trainer's own process."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from models import release
from models.lyrics import part
from models.lyrics.pick import pick
from schemas.codec import encode
from schemas.track import Track
from services.trainer.columns import Record, tracks
from services.trainer.job import Job, Said
from services.trainer.tracks import Tracks
from services.trainer.training import Training
from tests.unit.models.lyrics.test_part import SETTINGS as LYRICS
from tests.unit.models.lyrics.worlds import tracks as songs
from tests.unit.trainer.test_training import LIMIT, NOW, SETTINGS


@pytest.mark.slow
def test_tracks_with_lyrics_lead_to_a_release_that_picks_topics(tmp_path: Path) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    sent = [
        Track(row["track_id"], row["title"], row["artist"], lyrics=row["lyrics"],
              labels={} if row["labels"] is None else {"topic": ("love", "night", "war")[at % 3]})
        for at, row in enumerate(songs(42).iter_rows(named=True))
    ]  # fmt: skip
    frame, poison = tracks([Record(at, 1, track.track_id.encode(), encode(track)) for at, track in enumerate(sent)])
    assert not poison
    kept = Tracks(tmp_path / "history", "topic", int(NOW * 1000))
    kept.take(0, len(sent), frame)
    saved = kept.save(int(NOW * 1000))
    settings = replace(SETTINGS, lyrics=LYRICS)
    training = Training(Job("r1", 1, [], str(saved), str(tmp_path / "releases"), {}, {}, settings, nice=0))
    deadline, said = time.monotonic() + 4 * LIMIT, [Said()]
    while not (said[-1].folder or said[-1].error) and time.monotonic() < deadline:
        said += training.news()
        time.sleep(0.05)
    assert said[-1].error == ""
    picked = pick(release.load(Path(said[-1].folder)), "war", 5)
    assert {int(song.track_id[1:]) % 3 for song in picked} == {2}
