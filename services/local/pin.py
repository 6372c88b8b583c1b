"""Writes kafka_jars.sha256 anew after KAFKA or LOGGER in jars.py was changed: `python -m services.local.pin`."""

import hashlib
import tempfile
from pathlib import Path

from services.local.jars import PINS, download
from services.local.progress import Progress


def pin(path: Path = PINS) -> None:
    """Fetch the jars and write down their hashes; look at the difference before you commit it."""
    with tempfile.TemporaryDirectory(prefix="segue-pin-") as folder:
        jars = download(Path(folder), Progress("fetching"))
        lines = [f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars]
    path.write_text("".join(sorted(lines, key=lambda line: line.split()[1])))


if __name__ == "__main__":
    pin()
