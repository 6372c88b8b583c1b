from pathlib import Path

import pytest

from models.audio.problems import BadFolder
from models.audio.settings import RATE
from tests.unit.models.audio.sounds import tone, write

pytest.importorskip("soundfile", reason="needs segue[audio]")
from models.audio.folder import Recording, parsed, read_folder, tasks_of, written


def recordings(folder: Path, *names: str) -> Path:
    for name in names:
        write(folder / name, tone(440, 0.1))
    return folder


def by_name(found: list[Recording]) -> dict[str, Recording]:
    return {each.name.partition("/")[2]: each for each in found}


def test_a_folder_is_a_class(tmp_path: Path) -> None:
    found = read_folder(recordings(tmp_path, "rock/1.wav", "pop/2.wav", "pop/deep/3.wav"), "genre")
    assert {name: each.labels for name, each in by_name(found).items()} == {
        "pop/2.wav": {"genre": {"pop": 1.0}},
        "pop/deep/3.wav": {"genre": {"pop": 1.0}},
        "rock/1.wav": {"genre": {"rock": 1.0}},
    }
    assert len({each.group for each in found}) == 3
    assert tasks_of(found) == ["genre"]
    assert found[0].name.startswith(tmp_path.name)


def test_votes_are_shares_of_the_emotion(tmp_path: Path) -> None:
    recordings(tmp_path, "rock/1.wav", "pop/2.wav")
    lines = ["file,genre,calm,sad", "rock/1.wav,rock,1,0", "rock/1.wav,rock,1,1", "pop/2.wav,pop,0,1"]
    (tmp_path / "annotations.csv").write_text("\n".join(lines))
    found = by_name(read_folder(tmp_path))
    assert found["rock/1.wav"].labels == {"genre": {"rock": 1.0}, "emotion": {"calm": 2 / 3, "sad": 1 / 3}}
    assert found["pop/2.wav"].labels["emotion"] == {"calm": 0.0, "sad": 1.0}


def test_a_note_is_grouped_by_its_pitch_and_a_drum_by_its_name(tmp_path: Path) -> None:
    names = ("cello/cello_A4_1_forte_normal.wav", "flute/flute_A4_1_forte_normal.wav", "drums/gong__1_forte_hit.wav")
    found = by_name(read_folder(recordings(tmp_path, *names)))
    assert [found[name].group for name in names] == ["A4", "A4", "gong"]
    assert [found[name].labels for name in names] == [
        {"instrument": {"cello": 1.0}}, {"instrument": {"flute": 1.0}}, {"instrument": {"drums": 1.0}},
    ]  # fmt: skip


def test_a_csv_says_more(tmp_path: Path) -> None:
    recordings(tmp_path, "1.wav", "2.wav")
    (tmp_path / "about.csv").write_text("path,title,artist,class\n1.wav,One,Ann,a\n2.wav,Two,Bob,b\n")
    found = read_folder(tmp_path)
    assert [(each.about["title"], each.about["artist"]) for each in found] == [("One", "Ann"), ("Two", "Bob")]
    assert [each.labels for each in found] == [{"genre": {"a": 1.0}}, {"genre": {"b": 1.0}}]


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="no recordings"):
        read_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_folder(tmp_path / "nowhere")
    recordings(tmp_path, "1.wav")
    (tmp_path / "x.csv").write_text("file,class\nother.wav,a\n")
    with pytest.raises(BadFolder, match="none of the files"):
        read_folder(tmp_path)


@pytest.mark.parametrize("shares", [{"rock": 1.0}, {"hip hop": 1.0}, {"calm": 0.25, "sad": 0.75}])
def test_a_label_is_read_as_it_was_written(shares: dict[str, float]) -> None:
    assert parsed(written(shares)) == shares


def test_what_is_no_shares_is_a_class() -> None:
    assert parsed("a=b") == {"a=b": 1.0}
    assert parsed("drum and bass") == {"drum and bass": 1.0}
    assert parsed("calm=2 sad=2") == {"calm": 0.5, "sad": 0.5}
    assert parsed("") == {}


def test_an_absolute_path_is_found_and_a_row_of_no_recording_is_told(tmp_path: Path) -> None:
    recordings(tmp_path / "music", "a/1.wav", "b/1.wav", "b/2.wav")
    (tmp_path / "link").symlink_to(tmp_path / "music")
    names = [tmp_path / "music" / "a" / "1.wav", tmp_path / "link" / "b" / "1.wav", "/gone/1.wav", "b/3.wav"]
    lines = ["file,genre,at", *(f"{name},{kind},9" for name, kind in zip(names, "xyzz", strict=True))]
    (tmp_path / "music" / "t.csv").write_text("\n".join(lines))
    told: list[tuple[str, str, str]] = []
    found = by_name(read_folder(tmp_path / "music", tell=lambda *each: told.append(each)))
    assert [found[name].labels["genre"] for name in ("a/1.wav", "b/1.wav")] == [{"x": 1.0}, {"y": 1.0}]
    assert [(table, row) for table, row, _ in told] == [("t.csv", "row 3"), ("t.csv", "row 4")]
    assert "'/gone/1.wav' is no recording" in told[0][2]


def test_numbers_that_describe_are_no_votes(tmp_path: Path) -> None:
    recordings(tmp_path, "1.wav", "2.wav")
    (tmp_path / "t.csv").write_text("id,file,genre,bpm,duration\n1,1.wav,rock,120,3.5\n2,2.wav,pop,90,2\n")
    assert tasks_of(read_folder(tmp_path)) == ["genre"]


def test_what_the_header_shows_to_be_bad_is_known(tmp_path: Path) -> None:
    recordings(tmp_path, "a/1.wav")
    (tmp_path / "a" / "2.wav").write_bytes(b"")
    (tmp_path / "a" / "3.mp3").write_bytes(b"no recording" * 100)
    write(tmp_path / "a" / "4.wav", tone(440, 0.01))
    write(tmp_path / "a" / "5.wav", tone(440, 31 * 60 * 100 / RATE), 100)
    bad = {name: each.bad.partition(": ")[2] for name, each in by_name(read_folder(tmp_path)).items()}
    assert bad.pop("a/1.wav") == ""
    assert bad.pop("a/3.mp3").startswith("no audio that can be read")
    assert bad == {
        "a/2.wav": "is empty", "a/4.wav": "holds 10 ms, fewer than 50", "a/5.wav": "lasts 31 minutes, more than 30",
    }  # fmt: skip
