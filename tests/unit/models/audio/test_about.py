from pathlib import Path

import msgspec
import pytest

from models.audio.about import ABOUT, About, NoNetworks, network_file, read_about
from models.audio.settings import TASKS, MelSettings


def written(folder: Path, told: object) -> None:
    (folder / ABOUT).write_bytes(msgspec.json.encode(told))
    for task in TASKS:
        (folder / network_file(task)).touch()


def test_what_was_made_before_there_were_semitones_has_none(tmp_path: Path) -> None:
    told = msgspec.to_builtins(About(MelSettings(), {}, {}, {}))
    written(tmp_path, told)
    assert read_about(tmp_path).mels == MelSettings()
    del told["mels"]["semitones"]
    written(tmp_path, told)
    assert read_about(tmp_path).mels.rows == MelSettings().bands


@pytest.mark.parametrize("told", [[], {"mels": 3}, {"mels": {"bands": 0}}])
def test_what_is_no_such_file_is_named(tmp_path: Path, told: object) -> None:
    written(tmp_path, told)
    with pytest.raises(NoNetworks, match=ABOUT):
        read_about(tmp_path)
