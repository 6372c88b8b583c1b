"""A release that has heard a dozen made-up recordings, asked by the commands: no broker, no torch."""

import json
import sys
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from models.audio.settings import RATE
from services.cli.__main__ import main
from services.cli.reading import Files, read_files
from tests.unit.cli.conftest import Segue
from tests.unit.models.audio.sounds import noise, tone, write
from tests.unit.models.audio.worlds import write_networks

for needed, extra in (("onnx", "neural"), ("soundfile", "audio"), ("soxr", "audio"), ("duckdb", "audio")):
    pytest.importorskip(needed, reason=f"needs segue[{extra}]")

SHORT = {"SEGUE_RANKER_LISTENERS": "0", "SEGUE_ALS_FACTORS": "4"}


def recordings(folder: Path) -> Path:
    """Six tones and six noises, a folder each, with titles and artists in a CSV."""
    lines = ["file,title,artist"]
    for at in range(12):
        kind = ("tone", "noise")[at % 2]
        sound = noise(at, 1.2) if at % 2 else tone(180 + 7 * at, 1.2) + 0.1 * noise(at, 1.2)
        write(folder / kind / f"{at}.wav", sound)
        lines.append(f"{kind}/{at}.wav,Song {at},Artist {at}")
    (folder / "about.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`segue train` of ten listened to and two new: the folder with `music` and `release`."""
    root = tmp_path_factory.mktemp("heard")
    recordings(root / "music")
    write_networks(root / "networks")
    lines = ["user_id,listened_at,track_id,artist,title"]
    for user in range(6):
        for step in range(4):
            at = 2 * ((user + step) % 5) + user % 2  # each to tones or to noises
            name = f"music/{('tone', 'noise')[at % 2]}/{at}.wav"
            lines.append(f"u{user},{1_700_000_000 + 60 * step},{name},Artist {at},Song {at}")
    (root / "listens.csv").write_text("\n".join(lines))
    told = ["--listens", str(root / "listens.csv"), "--audio", str(root / "music"), "--out", str(root / "release")]
    environ = SHORT | {"SEGUE_AUDIO_CACHE": str(root / "cache"), "SEGUE_AUDIO_NETWORKS": str(root / "networks")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["segue", "train", *told])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return root


def test_a_recording_finds_itself_and_then_its_kind(segue: Segue, heard: Path) -> None:
    asked = heard / "music" / "tone" / "4.wav"
    said = segue("similar", str(asked), "-n", "4", "--release", str(heard / "release"), "--json")
    assert said.code == 0
    made = json.loads(said.out)
    assert set(made) == {"items", "seconds"}
    first, *others = made["items"]
    assert first == {
        "track_id": "music/tone/4.wav", "title": "Song 4", "artist": "Artist 4", "genre": "tone",
        "distance": pytest.approx(0.0, abs=1e-4),
    }  # fmt: skip
    assert [each["genre"] for each in others] == ["tone"] * 3
    distances = [each["distance"] for each in made["items"]]
    assert distances == sorted(distances)
    assert 0 < distances[1] <= 2


def test_a_recording_may_be_of_any_length(segue: Segue, heard: Path) -> None:
    write(heard / "long.flac", noise(1, 31 * 60_000 / RATE), 1_000)
    said = segue("similar", str(heard / "long.flac"), "--release", str(heard / "release"), "--json")
    assert said.code == 0
    assert len(json.loads(said.out)["items"]) == 5


def test_a_playlist_is_saved_with_what_is_new_to_the_listener(segue: Segue, heard: Path) -> None:
    said = segue("playlist", "u0", "-n", "5", "--release", str(heard / "release"), "--save", "u0.m3u8", "--json")
    assert said.code == 0
    items = json.loads(said.out)["items"]
    assert items
    assert not {each["track_id"] for each in items} & {f"music/tone/{at}.wav" for at in (0, 2, 4, 6)}
    assert all(each["reason"].startswith("Sounds like “Song ") for each in items)
    lines = Path("u0.m3u8").read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    saved = [line for line in lines if line.startswith("file://")]
    assert [line.partition("/music/")[2] for line in saved] == [
        each["track_id"].removeprefix("music/") for each in items
    ]


def test_a_stranger_gets_no_playlist(segue: Segue, heard: Path) -> None:
    said = segue("playlist", "nobody", "--release", str(heard / "release"), "--save", "nobody.xspf")
    assert said.code == 0
    assert "nothing is known of nobody, so nothing sounds like it; nobody.xspf is not written" in said.one_line
    assert not Path("nobody.xspf").exists()


def test_an_import_of_recordings_is_checked(segue: Segue, heard: Path, tmp_path: Path) -> None:
    said = segue("import", "audio", str(heard / "music"), "--check", "--json")
    assert said.code == 0
    made = json.loads(said.out)
    assert (made["tracks"], made["bad"], made["labels"]) == (12, 0, {"genre": {"noise": 6, "tone": 6}})
    assert "genre: 2 classes: noise (6), tone (6)" in said.one_line
    recordings(tmp_path / "worse")
    for at in range(7):
        (tmp_path / "worse" / "tone" / f"bad{at}.wav").write_bytes(b"")
    with (tmp_path / "worse" / "about.csv").open("a") as table:
        table.write("\ntone/gone.wav,Gone,Nobody")
    said = segue("import", "audio", str(tmp_path / "worse"), "--check", "--json")
    assert said.code == 1
    made = json.loads(said.out)
    assert (made["tracks"], made["bad"]) == (12, 8)
    assert all(f"bad{at}.wav: is empty" in said.one_line for at in range(7))
    assert "about.csv: row 13: 'tone/gone.wav' is no recording" in said.one_line


def test_a_training_names_every_recording_that_it_leaves_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a" / "good.wav", tone(440))
    for at in range(30):
        (tmp_path / "a" / f"bad{at}.wav").write_bytes(b"")
    console = Console(file=StringIO(), width=200)
    assert read_files(Files(audio=[tmp_path]), 1, console).tracks.height == 1
    told = capfd.readouterr().err
    assert all(f"bad{at}.wav: is empty" in told for at in range(30))
    assert "30 bad lines" in console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


@pytest.mark.parametrize("command", ["import audio music --check", "train --audio music --out r"])
def test_a_task_that_nothing_is_taught_is_refused(segue: Segue, command: str) -> None:
    said = segue(*command.split(), "--task", "mood")
    assert said.code == 2
    assert "'mood' is not one of 'genre', 'emotion', 'instrument'" in said.one_line


def test_a_release_names_all_that_it_could_not_hear(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from models.audio.build import build
    from models.audio.settings import AudioSettings

    silent = [write(tmp_path / f"{at}.wav", tone(440, loud=0.0)) for at in range(7)]
    tracks = pl.DataFrame({"track_id": [path.stem for path in silent], "audio": [path.as_uri() for path in silent]})
    measured, _ = build(tracks["track_id"].to_list(), tracks, tmp_path, AudioSettings(cache=""), 1)
    assert measured["bad"] == 7
    named = (tmp_path / "audio_unheard.txt").read_text().splitlines()
    assert named == [f"{path}: is silent" for path in silent]
    assert "2 recordings more; audio_unheard.txt of the release names all" in caplog.text
