"""Files that are there whole or not at all."""

import os
from pathlib import Path

import polars as pl
import pytest

from services.runtime.files import write_private, write_whole


def test_what_fails_half_way_leaves_the_old_one_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "made" / "page.html"
    write_whole(path, lambda aside: aside.write_text("old"))

    def half(aside: Path) -> None:
        aside.write_text("ne")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write_whole(path, half)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    write_whole(path, lambda aside: aside.write_text("new"))
    assert path.read_text() == "new"


def test_what_is_private_is_its_owners_alone_while_it_is_written_and_after(tmp_path: Path) -> None:
    path, modes = tmp_path / "lists.parquet", []
    for left in (path, tmp_path / ".aside-lists.parquet"):
        left.write_text("left by another version")
        left.chmod(0o644)

    def write(aside: Path) -> None:
        pl.DataFrame({"user_id": ["ann"]}).write_parquet(aside)
        modes.append(aside.stat().st_mode & 0o777)

    write_private(path, write)
    assert [*modes, path.stat().st_mode & 0o777] == [0o600, 0o600]


def test_it_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    flushed: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append((os.fstat(handle).st_ino, path.exists())))
    write_whole(path, lambda aside: aside.write_text("new"))
    assert flushed == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]
