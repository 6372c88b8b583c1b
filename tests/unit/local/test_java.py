from pathlib import Path

import pytest

from services.local.errors import JavaError
from services.local.java import MODULES, find_java, java_environment, read_java


def runtime(home: Path, version: str, modules: str) -> Path:
    (home / "lib").mkdir(parents=True)
    (home / "lib" / "modules").write_bytes(b"")
    (home / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    return home / "bin" / "java"


def test_the_java_of_the_wheel_can_run_kafka() -> None:
    assert find_java().version >= 17


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="is Java 11, and Kafka needs 17"):
        read_java(runtime(tmp_path, "11.0.2", " ".join(MODULES)))


def test_a_reduced_java_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match=r"lacks modules .*: java\.management, java\.naming"):
        read_java(runtime(tmp_path, "25", " ".join(MODULES - {"java.naming", "java.management"})))


def test_a_folder_without_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="no Java runtime"):
        read_java(tmp_path / "bin" / "java")


def test_flags_fit_the_version(tmp_path: Path) -> None:
    old = read_java(runtime(tmp_path / "old", "17.0.1", " ".join(MODULES)))
    new = read_java(runtime(tmp_path / "new", "25.0.2", " ".join(MODULES)))

    assert "--sun-misc-unsafe-memory-access=allow" not in old.flags()
    assert "--sun-misc-unsafe-memory-access=allow" in new.flags()
    assert old.identity != new.identity


def test_the_users_java_options_do_not_reach_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1m")

    assert "JAVA_TOOL_OPTIONS" not in java_environment()
