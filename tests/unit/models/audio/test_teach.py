"""A network is taught once for what it is taught with, in whatever order that comes."""

from pathlib import Path

import numpy as np
import pytest

from models.audio import teach as teaching
from models.audio.about import network_file
from models.audio.extract import Heard
from models.audio.folder import Shares
from models.audio.settings import TASKS, AudioSettings, MelSettings
from models.audio.teach import teach

MELS = MelSettings()


def recordings(count: int) -> tuple[list[Heard], list[dict[str, Shares]]]:
    rng = np.random.default_rng(3)
    heard = [Heard(f"{number:064x}", rng.normal(size=(MELS.rows, 500)).astype(np.float16)) for number in range(count)]
    return heard, [{"genre": {("rock", "jazz")[number % 2]: 1.0}} for number in range(count)]


@pytest.fixture
def lessons(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[float], list[list[float]]]]:
    """What was taught: the task, the first number of each recording, the targets."""
    told: list[tuple[str, list[float], list[list[float]]]] = []

    def taught(mels, targets, _heard, _settings, _threads, folder, task, _progress) -> float:  # type: ignore[no-untyped-def]  # as _taught
        told.append((task, [float(mel[0, 0]) for mel in mels], targets.tolist()))
        (folder / network_file(task)).write_bytes(task.encode())
        return 0.0

    monkeypatch.setattr(teaching, "_taught", taught)
    return told


def into(folder: Path, heard: list[Heard], labels: list[dict[str, Shares]], settings: AudioSettings) -> Path:
    folder.mkdir()
    teach(heard, labels, folder, MELS, settings, 1)
    return folder


def test_the_order_of_the_catalogue_changes_nothing(
    tmp_path: Path, lessons: list[tuple[str, list[float], list[list[float]]]]
) -> None:
    heard, labels = recordings(12)
    for name, turned in (("one", slice(None)), ("other", slice(None, None, -1))):
        into(tmp_path / name, heard[turned], labels[turned], AudioSettings(cache=str(tmp_path / f"cache-{name}")))
    first, second = lessons[: len(TASKS)], lessons[len(TASKS) :]
    assert first == second  # of the clusters, too
    assert [task for task, *_ in first] == list(TASKS)


def test_what_was_taught_before_is_taken_and_what_is_new_is_not(
    tmp_path: Path, lessons: list[tuple[str, list[float], list[list[float]]]]
) -> None:
    heard, labels = recordings(12)
    settings = AudioSettings(cache=str(tmp_path / "cache"))
    into(tmp_path / "first", heard, labels, settings)
    again = into(tmp_path / "again", heard[::-1], labels[::-1], settings)
    assert len(lessons) == len(TASKS)
    assert (again / network_file("genre")).read_bytes() == b"genre"
    into(tmp_path / "more", heard, [*labels[:-1], {"genre": {"folk": 1.0}}], settings)
    assert [task for task, *_ in lessons[len(TASKS) :]] == ["genre"]


def test_two_tasks_that_say_the_same_have_a_network_each(
    tmp_path: Path, lessons: list[tuple[str, list[float], list[list[float]]]]
) -> None:
    heard, labels = recordings(12)
    both = [{"genre": each["genre"], "emotion": each["genre"]} for each in labels]
    settings = AudioSettings(cache=str(tmp_path / "cache"))
    made = into(tmp_path / "made", heard, both, settings)
    assert [(made / network_file(task)).read_bytes() for task in TASKS] == [task.encode() for task in TASKS]
    into(tmp_path / "again", heard, both, settings)
    assert len(lessons) == len(TASKS)
