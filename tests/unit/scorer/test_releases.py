"""Which release is in force: good ones swap in, bad ones change nothing."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.release import CATALOGUE, INDEX, BadRelease
from models.sources.settings import ListSettings
from schemas.release import ReleaseAnnounced
from services.scorer.releases import Releases, local_folder
from services.scorer.split import Split
from tests.unit.scorer.fakes import World
from tests.unit.scorer.worlds import NOON, checkerboard_parts, frame, listen, profile, write_release


class Following:
    """Releases with a clock of its own."""

    def __init__(self, warming: list[bytes] | None = None) -> None:
        self.time = 0.0
        self.world = World()
        self.releases = Releases(
            Split(ListSettings(), ListSettings()),
            self.world.metrics,
            lambda: warming or [],
            lambda: self.time,
            retry_s=30,
        )

    def in_force(self) -> str | None:
        return self.releases.current.release.id if self.releases.current else None


def announced(folder: Path) -> ReleaseAnnounced:
    titles, factors, als = checkerboard_parts()
    return ReleaseAnnounced(folder.name, str(folder), write_release(folder, frame(titles), factors, als), 0)


def test_before_the_first_announcement_there_is_none() -> None:
    following = Following()
    following.releases.follow(None)
    assert following.in_force() is None
    assert not following.world.health.ready().ok


def test_the_announced_release_comes_into_force_once(tmp_path: Path) -> None:
    following, first = Following(), announced(tmp_path / "r1")
    following.releases.follow(first)
    kept = following.releases.current
    following.releases.follow(first)
    assert following.releases.current is kept
    assert following.in_force() == "r1"
    assert following.world.count("release_info", release="r1") == 1
    following.releases.follow(announced(tmp_path / "r2"))
    assert following.in_force() == "r2"
    assert following.world.count("release_info", release="r1") == 0


def test_only_after_the_first_release_cycles_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str | None] = []
    following = Following()
    monkeypatch.setattr("services.scorer.releases.look", lambda: looked.append(following.in_force()))
    following.releases.follow(announced(tmp_path / "r1"))
    following.releases.follow(announced(tmp_path / "r2"))  # lists are made meanwhile, and would wait
    assert looked == ["r1"]


def test_rolling_back_is_announcing_the_old_one_again(tmp_path: Path) -> None:
    following, first = Following(), announced(tmp_path / "r1")
    for each in (first, announced(tmp_path / "r2"), first):
        following.releases.follow(each)
    assert following.in_force() == "r1"


def spoil_file(folder: Path) -> None:
    data = bytearray((folder / INDEX).read_bytes())
    data[-1] ^= 1
    (folder / INDEX).write_bytes(data)


def lose_file(folder: Path) -> None:
    (folder / CATALOGUE).unlink()


def lose_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("spoil", [spoil_file, lose_file, lose_folder])
def test_a_spoilt_release_is_refused_and_the_old_one_keeps_serving(tmp_path: Path, spoil: object) -> None:
    following = Following()
    following.releases.follow(announced(tmp_path / "r1"))
    bad = announced(tmp_path / "r2")
    spoil(tmp_path / "r2")  # type: ignore[operator]
    following.releases.follow(bad)
    assert following.in_force() == "r1"
    assert following.world.count("release_failures_total", error="BadRelease") == 1


def test_a_release_under_another_name_or_hash_is_refused(tmp_path: Path) -> None:
    following, good = Following(), announced(tmp_path / "r1")
    following.releases.follow(msgspec.structs.replace(good, release_id="r9"))
    following.releases.follow(msgspec.structs.replace(good, sha256="0" * 64))
    assert following.in_force() is None
    assert following.world.count("release_failures_total", error="BadRelease") == 2


def test_a_release_that_fails_on_real_profiles_is_refused(tmp_path: Path) -> None:
    following = Following(warming=[b"no profile at all"])
    following.releases.follow(announced(tmp_path / "r1"))
    assert following.in_force() is None
    assert following.world.count("release_failures_total", error="BadProfile") == 1


def test_real_profiles_warm_a_release(tmp_path: Path) -> None:
    following = Following(warming=[profile([listen("t3", NOON)]).encode()])
    following.releases.follow(announced(tmp_path / "r1"))
    assert following.in_force() == "r1"


def test_a_refused_release_is_tried_again_later_and_not_before(tmp_path: Path) -> None:
    following, late = Following(), announced(tmp_path / "r1")
    (tmp_path / "r1").rename(tmp_path / "away")
    following.releases.follow(late)
    (tmp_path / "away").rename(tmp_path / "r1")
    following.time = 29.0
    following.releases.follow(late)
    assert following.in_force() is None
    following.time = 30.0
    following.releases.follow(late)
    assert following.in_force() == "r1"


def test_wrong_fitted_settings_are_refused(tmp_path: Path) -> None:
    following = Following()
    folder = tmp_path / "r1"
    sha256 = write_release(folder, frame([("Song", "Artist")]), np.zeros((1, 2), dtype=np.float32))
    text = (folder / "manifest.json").read_text().replace('"alpha"', '"omega"')
    (folder / "manifest.json").write_text(text)
    following.releases.follow(ReleaseAnnounced("r1", str(folder), sha256, 0))
    assert following.in_force() is None


def test_a_release_may_be_a_path_or_a_file_uri(tmp_path: Path) -> None:
    assert local_folder("/data/r 1") == Path("/data/r 1")
    assert local_folder("file:///data/r%201") == Path("/data/r 1")
    for uri in ("s3://bucket/r1", "file://host/r1"):
        with pytest.raises(BadRelease, match="only paths"):
            local_folder(uri)
