"""Kafka's jars: fetched once by coordinate, held to the hashes in kafka_jars.sha256, kept in the cache."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from services.local.cache import cache_folder, locked
from services.local.errors import JarError
from services.local.progress import Progress

KAFKA = "org.apache.kafka:kafka_2.13:4.1.2"
# Kafka's artefact brings only the interface of slf4j: with no implementation, its errors would be silent.
LOGGER = "org.slf4j:slf4j-simple:1.7.36"
PINS = Path(__file__).with_name("kafka_jars.sha256")

Fetch = Callable[[Path, Progress], list[Path]]


def kafka_jars(cache: Path | None = None) -> list[Path]:
    """Paths of the jars in class-path order, every one checked against its pinned hash.

    The first call on a machine needs the network (46 jars, 43 MB); later ones need nothing but the cache.
    """
    pins = read_pins()
    folder = (cache or cache_folder()) / f"kafka-{KAFKA.rsplit(':', 1)[1]}-{_digest(PINS)[:12]}"
    if not folder.is_dir():
        lock = folder.with_name(f"{folder.name}.lock")
        with Progress("fetching Kafka's jars from Maven Central (43 MB, once)", len(pins)) as progress, locked(lock):
            if not folder.is_dir():  # another process may have fetched them while this one waited
                _install(folder, pins, download, progress)
    check(folder, pins)
    return [folder / name for name in sorted(pins)]


def read_pins(path: Path = PINS) -> dict[str, str]:
    """Name of each jar -> its sha256, from a file in the format of sha256sum."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {name: digest for digest, name in lines}


def check(folder: Path, pins: Mapping[str, str]) -> None:
    """Raise JarError, naming the jar, unless the folder holds exactly the pinned jars."""
    found = {path.name for path in folder.glob("*.jar")}
    for name in sorted(found - set(pins)):
        raise JarError(f"{name} is not pinned in {PINS.name}: refused (in {folder})")
    for name in sorted(set(pins) - found):
        raise JarError(f"{name} is pinned in {PINS.name} but missing in {folder}; remove that folder to refetch")
    names = sorted(pins)
    with ThreadPoolExecutor() as pool:
        digests = pool.map(_digest, (folder / name for name in names))
    for name, digest in zip(names, digests, strict=True):
        if digest != pins[name]:
            raise JarError(
                f"{name} is refused: its sha256 is {digest}, but {PINS.name} pins {pins[name]} "
                f"(in {folder}; remove that folder to refetch)"
            )


def _install(folder: Path, pins: Mapping[str, str], fetch: Fetch, progress: Progress) -> None:
    """Fetch into a folder aside, check, and rename: `folder` exists whole or not at all."""
    aside = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "jars").mkdir(parents=True)
    try:
        for jar in fetch(aside / "repository", progress):
            os.replace(jar, aside / "jars" / jar.name)
        check(aside / "jars", pins)
        os.replace(aside / "jars", folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def download(repository: Path, progress: Progress) -> list[Path]:
    """Resolve Kafka and its dependencies with jgo and download the jars into a fresh Maven repository."""
    from jgo.maven import MavenContext, PythonResolver  # pulls in requests: only when something is fetched
    from jgo.parse import Endpoint

    # Not the user's own Maven repository: jgo writes in place, so a broken download would stay there.
    maven = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=30)
    wanted = [
        maven.create_dependency(replace(coordinate, scope="compile"))
        for coordinate in Endpoint.parse(f"{KAFKA}+{LOGGER}").coordinates
    ]

    def fetch(dependency: object) -> Path:
        path = Path(dependency.artifact.resolve())  # type: ignore[attr-defined]  # jgo has no types here
        progress.advance()
        return path

    try:
        inputs, transitive = maven.resolver.resolve(wanted)
        runtime = [each for each in transitive if each.scope in ("compile", "runtime")]
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(fetch, [*inputs, *runtime]))
    except Exception as error:  # jgo's own RuntimeErrors, those of requests, and those of its parsers
        raise JarError(f"could not fetch {KAFKA} (the first start needs the network): {error}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
