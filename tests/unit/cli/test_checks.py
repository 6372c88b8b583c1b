"""`segue check` tells what is amiss from what it cannot see; the rest is in tests/integration/test_cli.py."""

from pathlib import Path

import pytest

from schemas.release import ReleaseAnnounced
from services.cli import checks, stream
from services.cli.checks import Finding
from services.cli.settings import ClientSettings
from tests.unit.cli.conftest import Segue


def announced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """What is found of a release that was announced there."""
    release = ReleaseAnnounced(folder.name, f"file://{folder}", "0" * 64, 1_704_067_200_000)
    monkeypatch.setattr(stream, "current_release", lambda _settings: release)
    return checks._tried("release", lambda: checks._release(ClientSettings()))


def test_a_release_in_a_containers_volume_is_unseen_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = announced(tmp_path / "volume" / "r1", monkeypatch)
    assert (found.ok, found.seen) == (True, False)
    assert f"r1 is in force; {tmp_path / 'volume'} is not on this machine" in found.says
    assert "`segue releases show r1`" in found.says


def test_a_release_that_is_gone_from_its_folder_is_amiss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = announced(tmp_path / "r1", monkeypatch)
    assert not found.ok
    assert str(tmp_path / "r1") in found.says


def test_so_is_one_whose_folder_this_machine_is_meant_to_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_TRAINER_RELEASES", str(tmp_path / "releases"))
    assert not announced(tmp_path / "releases" / "r1", monkeypatch).ok


@pytest.mark.parametrize(
    ("last", "code", "mark"),
    [
        (Finding("release", True, "whole"), 0, "ok"),
        (Finding("release", True, "elsewhere", seen=False), 0, "unseen"),
        (Finding("release", False, "broken"), 1, "amiss"),
    ],
)
def test_only_what_is_amiss_makes_it_fail(
    last: Finding, code: int, mark: str, segue: Segue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "findings", lambda: iter([Finding("settings", True, "read"), last]))
    said = segue("check")
    assert said.code == code
    assert said.out.splitlines()[-1].split() == [mark, "release", last.says]
