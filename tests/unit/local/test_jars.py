"""No jar that the repository does not pin is ever used."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from services.local import jars
from services.local.errors import JarError
from services.local.progress import Progress

GOOD = b"the real thing"
QUIET = Progress("fetching")
PINS = {"kafka-clients.jar": hashlib.sha256(GOOD).hexdigest()}


def fetcher(content: bytes, name: str = "kafka-clients.jar") -> Callable[[Path, Progress], list[Path]]:
    def fetch(repository: Path, progress: Progress) -> list[Path]:
        repository.mkdir(parents=True)
        (repository / name).write_bytes(content)
        progress.advance()
        return [repository / name]

    return fetch


def test_the_right_jar_is_installed_and_nothing_else_stays(tmp_path: Path) -> None:
    jars._install(tmp_path / "kafka", PINS, fetcher(GOOD), QUIET)

    assert [path.name for path in tmp_path.iterdir()] == ["kafka"]
    assert (tmp_path / "kafka" / "kafka-clients.jar").read_bytes() == GOOD


def test_a_jar_with_another_hash_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(JarError, match=r"kafka-clients\.jar is refused: its sha256 is"):
        jars._install(tmp_path / "kafka", PINS, fetcher(b"tampered with"), QUIET)

    assert list(tmp_path.iterdir()) == []


def test_a_jar_that_changed_in_the_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kafka-clients.jar").write_bytes(b"rotten")

    with pytest.raises(JarError, match=r"kafka-clients\.jar is refused"):
        jars.check(tmp_path, PINS)


def test_a_missing_jar_and_a_foreign_jar_are_named(tmp_path: Path) -> None:
    with pytest.raises(JarError, match=r"kafka-clients\.jar is pinned .* but missing"):
        jars.check(tmp_path, PINS)

    (tmp_path / "extra.jar").write_bytes(b"")
    with pytest.raises(JarError, match=r"extra\.jar is not pinned"):
        jars.check(tmp_path, PINS)


def test_a_failed_download_leaves_nothing(tmp_path: Path) -> None:
    def fetch(repository: Path, progress: Progress) -> list[Path]:
        repository.mkdir(parents=True)
        raise JarError("no network")

    with pytest.raises(JarError, match="no network"):
        jars._install(tmp_path / "kafka", PINS, fetch, QUIET)

    assert list(tmp_path.iterdir()) == []


def test_cached_jars_are_used_without_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetches: list[Path] = []

    def fetch(repository: Path, progress: Progress) -> list[Path]:
        fetches.append(repository)
        return fetcher(GOOD)(repository, progress)

    monkeypatch.setattr(jars, "download", fetch)
    monkeypatch.setattr(jars, "read_pins", lambda: PINS)

    first, second = jars.kafka_jars(tmp_path), jars.kafka_jars(tmp_path)

    assert first == second
    assert len(fetches) == 1


def test_every_pin_is_a_jar_with_a_sha256() -> None:
    pins = jars.read_pins()

    assert f"kafka_2.13-{jars.KAFKA.rsplit(':', 1)[1]}.jar" in pins
    assert f"slf4j-simple-{jars.LOGGER.rsplit(':', 1)[1]}.jar" in pins
    assert all(name.endswith(".jar") and len(bytes.fromhex(digest)) == 32 for name, digest in pins.items())
