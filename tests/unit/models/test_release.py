import hashlib
import os
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl
import pytest

from models import release
from models.catalogue import COLUMNS, keys_of
from models.ids import key_of
from models.neighbours.table import Table
from schemas.release import Manifest, ReleaseFile


def manifest(**changes: object) -> Manifest:
    whole = Manifest("r1", release.FORMAT, 5, {}, 2, 1, 3, {}, {"als": {"alpha": 2.0}}, {}, {})
    return msgspec.structs.replace(whole, **changes)


def filled(folder: Path, items: int = 2) -> Path:
    """A working folder with every file of a release of two tracks."""
    aside = release.make_aside(folder)
    counts = {"popularity": 1.0, "listeners": 2, "plays": 2, "skips": 0, "recent_listeners": 1}
    rows = [{"track_id": track, "title": track, "artist": track, **counts} for track in "ab"]
    pl.DataFrame(rows, schema=COLUMNS).write_parquet(aside / release.CATALOGUE)
    factors = np.eye(2, dtype=np.float32)[:items]
    np.save(aside / release.FACTORS, factors)
    np.save(aside / release.GRAM, factors.T @ factors)
    index = faiss.IndexFlatIP(2)
    index.add(factors)
    faiss.write_index(index, str(aside / release.INDEX))
    for name, other in ((release.FOLLOWERS, 1), (release.NEIGHBOURS, 0)):
        table_of(other).save(aside / name)
    return aside


def table_of(row: int, weight: float = 0.5) -> Table:
    """One link, from the first track to `row`."""
    return Table(np.array([0, 1]), np.array([row], np.int32), np.array([weight], np.float32))


def published(root: Path) -> tuple[Path, str]:
    return root / "r1", release.publish(filled(root / "r1"), root / "r1", manifest())


def test_what_is_published_can_be_loaded(tmp_path: Path) -> None:
    folder, sha256 = published(tmp_path)
    loaded = release.load(folder, sha256)
    assert loaded.id == "r1"
    assert loaded.catalogue.track_ids == ["a", "b"]
    assert loaded.setting("als", "alpha") == 2.0
    assert loaded.followers.rows.tolist() == [1]
    assert loaded.neighbours.rows.tolist() == [0]
    assert sha256 == release.sha256_of(folder / release.MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_a_release_brings_the_keys_of_its_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = filled(tmp_path / "r1")
    np.save(aside / release.KEYS, keys_of(pl.read_parquet(aside / release.CATALOGUE)))
    monkeypatch.setattr("models.catalogue.key_of", lambda _: pytest.fail("worked out again"))
    release.publish(aside, tmp_path / "r1", manifest())
    assert release.load(tmp_path / "r1").catalogue.keys.tolist() == [key_of("a"), key_of("b")]


@pytest.mark.parametrize("wrong", [np.zeros((2, 3), np.int64), np.zeros((2, 2), np.int32), np.array([{}, {}])])
def test_wrong_keys_are_never_published(tmp_path: Path, wrong: np.ndarray) -> None:
    aside = filled(tmp_path / "r1")
    np.save(aside / release.KEYS, wrong, allow_pickle=True)
    with pytest.raises(release.BadRelease, match=r"keys that are|allow_pickle"):
        release.publish(aside, tmp_path / "r1", manifest())


def test_a_file_is_hashed_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "READ", 4)
    for data in (b"", b"abc", b"abcd", b"abcdefgh", b"abcdefghi"):
        (tmp_path / "file").write_bytes(data)
        assert release.sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", release.REQUIRED)
def test_an_altered_file_is_named(tmp_path: Path, name: str) -> None:
    folder, _ = published(tmp_path)
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(release.BadRelease, match=name):
        release.load(folder)


@pytest.mark.parametrize("name", [*release.REQUIRED, release.MANIFEST])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder, _ = published(tmp_path)
    (folder / name).unlink()
    with pytest.raises(release.BadRelease, match=name):
        release.load(folder)


def test_another_manifest_than_the_announced_is_refused(tmp_path: Path) -> None:
    folder, _ = published(tmp_path)
    with pytest.raises(release.BadRelease, match="announced"):
        release.load(folder, "0" * 64)


@pytest.mark.parametrize("name", release.REQUIRED)
def test_a_file_that_the_manifest_does_not_name_is_missed(tmp_path: Path, name: str) -> None:
    aside = filled(tmp_path / "r1")
    (aside / name).unlink()
    with pytest.raises(release.BadRelease, match=name):
        release.publish(aside, tmp_path / "r1", manifest())


@pytest.mark.parametrize("number", [1, 99])
def test_another_format_is_refused(tmp_path: Path, number: int) -> None:
    with pytest.raises(release.BadRelease, match=f"format {number}, but"):
        release.publish(filled(tmp_path / "r1"), tmp_path / "r1", manifest(format=number))
    assert not (tmp_path / "r1").exists()


def test_a_manifest_may_not_name_a_file_outside_its_folder(tmp_path: Path) -> None:
    folder, _ = published(tmp_path)
    (tmp_path / "secret").write_bytes(b"x")
    found = release.read_manifest(folder)
    files = {**found.files, "../secret": ReleaseFile(release.sha256_of(tmp_path / "secret"), 1)}
    (folder / release.MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(found, files=files)))
    with pytest.raises(release.BadRelease, match="secret"):
        release.check(folder)


def test_files_that_do_not_fit_together_are_never_published(tmp_path: Path) -> None:
    aside = filled(tmp_path / "r1")
    np.save(aside / release.GRAM, np.eye(3, dtype=np.float32))
    with pytest.raises(release.BadRelease, match="shapes disagree"):
        release.publish(aside, tmp_path / "r1", manifest())
    assert not (tmp_path / "r1").exists()


@pytest.mark.parametrize("name", [release.FOLLOWERS, release.NEIGHBOURS, release.BESIDE])
@pytest.mark.parametrize("wrong", [table_of(2), table_of(-1), table_of(1, np.nan)])
def test_a_table_that_is_none_of_the_catalogues_rows_is_never_published(
    tmp_path: Path, name: str, wrong: Table
) -> None:
    aside = filled(tmp_path / "r1")
    wrong.save(aside / name)
    with pytest.raises(release.BadRelease, match="no table of rows of the catalogue"):
        release.publish(aside, tmp_path / "r1", manifest())
    assert not (tmp_path / "r1").exists()


def test_a_factor_that_is_not_finite_is_never_published(tmp_path: Path) -> None:
    aside = filled(tmp_path / "r1")
    np.save(aside / release.FACTORS, np.full((2, 2), np.nan, dtype=np.float32))
    with pytest.raises(release.BadRelease, match="not finite"):
        release.publish(aside, tmp_path / "r1", manifest())


def test_every_file_is_on_disk_before_the_release_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[int, bool]] = []
    there = (tmp_path / "r1").exists
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append((os.fstat(handle).st_ino, there())))
    folder, _ = published(tmp_path)
    *files, last = flushed
    assert sorted(files) == sorted((path.stat().st_ino, False) for path in folder.iterdir())
    assert last == (tmp_path.stat().st_ino, True)


def test_a_failing_probe_stops_the_publishing(tmp_path: Path) -> None:
    def refuse(loaded: release.Release) -> None:
        raise release.BadRelease(f"{loaded.id} answers nonsense")

    with pytest.raises(release.BadRelease, match="r1 answers nonsense"):
        release.publish(filled(tmp_path / "r1"), tmp_path / "r1", manifest(), refuse)
    assert not (tmp_path / "r1").exists()


def test_a_pickle_in_the_factors_is_never_opened(tmp_path: Path) -> None:
    aside = filled(tmp_path / "r1")
    np.save(aside / release.FACTORS, np.array([{"evil": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        release.publish(aside, tmp_path / "r1", manifest())


def test_a_published_release_stays_as_it_is(tmp_path: Path) -> None:
    _, sha256 = published(tmp_path)
    with pytest.raises(FileExistsError):
        release.publish(filled(tmp_path / "r1"), tmp_path / "r1", manifest(tracks=9))
    assert release.sha256_of(tmp_path / "r1" / release.MANIFEST) == sha256


def test_sweeping_takes_working_folders_only(tmp_path: Path) -> None:
    folder, _ = published(tmp_path)
    aside = filled(tmp_path / "r2")
    (tmp_path / ".keep").mkdir()
    assert release.sweep(tmp_path) == [aside]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keep", folder.name]
    assert release.sweep(tmp_path / "nowhere") == []
