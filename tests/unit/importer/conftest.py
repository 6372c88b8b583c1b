from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from msgspec import Struct

from services.importer.formats import Format
from services.importer.loading import load
from services.importer.report import Report
from services.importer.rows import Options

NOW_MS = 1_790_000_000_000  # 2026-09-21


class Found(Struct):
    listens: pl.DataFrame
    tracks: pl.DataFrame
    bad: list[str]
    left_out: dict[str, int]

    @property
    def ids(self) -> list[str]:
        return sorted(self.listens["event_id"])


def read_file(file: Path, form: Format | None = None, **options: object) -> Found:
    report = Report(limit=None)
    frames = load([file], form=form, options=Options(now_ms=NOW_MS, **options), report=report)  # type: ignore[arg-type]
    return Found(frames.listens, frames.tracks, [str(problem) for problem in report.told], dict(report.left_out))


Read = Callable[..., Found]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes what is given to a file of that name and reads it: read(name, content, format, option=…)."""

    def reading(name: str, content: bytes | str, form: Format | None = None, **options: object) -> Found:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_file(file, form, **options)

    return reading
