"""The class archive only saves time: when none can be made, the broker starts without."""

from pathlib import Path

from services.local.archive import class_archive
from services.local.errors import StartError
from services.local.java import Java


def test_a_failure_is_remembered_and_leaves_nothing_else(tmp_path: Path) -> None:
    jars = [tmp_path / "kafka-4" / "kafka.jar"]
    java = Java(tmp_path / "java", 25, "identity")
    attempts: list[Path] = []

    def record(folder: Path, class_list: Path) -> None:
        attempts.append(folder)
        raise StartError("no broker today")

    assert class_archive(java, jars, record) is None
    assert class_archive(java, jars, record) is None
    assert len(attempts) == 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsa", ".lock"}
