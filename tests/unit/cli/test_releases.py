"""`segue train` and `segue releases` on folders, without a broker."""

import json
from pathlib import Path

import polars as pl
import pytest

from models import release
from tests.unit.cli.conftest import Segue
from tests.unit.models.evaluation.logs import crowd

SMALL = {"SEGUE_ALS_ITERATIONS": "2", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_TRAINER_CHECK_LEAST": "5",
         "SEGUE_TRAINER_CHECK_SHARE": "0.3"}  # fmt: skip


@pytest.fixture(scope="module")
def listens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listens") / "listens.parquet"
    crowd(5).write_parquet(path)
    return path


def test_a_release_is_held_against_another_and_told_apart_from_it(
    segue: Segue, listens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    older, settings = tmp_path / "older.parquet", tmp_path / "tuned.toml"
    frame = pl.read_parquet(listens)
    newest = frame["listened_at"].max()
    frame.filter(pl.col("listened_at") < newest - 15 * 86_400_000).write_parquet(older)
    settings.write_text("[als]\nfactors = 8\nalpha = 3.5\n")
    root, one, two = tmp_path / "releases", tmp_path / "releases" / "one", tmp_path / "releases" / "two"
    first = segue("train", "--listens", str(older), "--out", str(one), "--settings", str(settings))
    assert first.code == 0, first.err
    second = segue("train", "--listens", str(listens), "--out", str(two), "--settings", str(settings),
                   "--in-service", str(one))  # fmt: skip
    assert second.code == 0, second.err
    assert "in_service" in second.out
    manifest = release.read_manifest(two)
    assert (manifest.settings["als"]["factors"], manifest.settings["als"]["alpha"]) == (8, 3.5)
    assert manifest.settings["warm_start"]["release"] == "one"
    told = segue("releases", "diff", "one", "two", "--folder", str(root))
    assert told.code == 0
    assert "warm_start.release" in told.out
    found = json.loads(segue("releases", "diff", str(one), str(two), "--json").out)
    assert found["listens"]["after"] > found["listens"]["before"]
    assert "als.factors" not in found["settings"]


def test_nothing_is_made_of_a_log_without_listens(segue: Segue, tmp_path: Path) -> None:
    log, tracks, out = tmp_path / "log.csv", tmp_path / "tracks.csv", tmp_path / "made"
    log.write_text("user_id,listened_at,track_id\n")
    tracks.write_text("track_id,title,artist\nt1,One,Ann\n")
    for more in ((), ("--tracks", str(tracks))):
        said = segue("train", "--listens", str(log), *more, "--out", str(out))
        assert said.code == 1
        assert "hold no listen" in said.one_line
        assert not out.exists()
    tracks.write_text("track_id,title,artist\n")
    said = segue("train", "--tracks", str(tracks), "--out", str(out))
    assert said.code == 1
    assert "nothing to train on" in said.one_line
    assert not out.exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "tune"])
def test_a_log_whose_columns_have_other_names_is_read(segue: Segue, tmp_path: Path, command: str) -> None:
    log, more = tmp_path / "log.csv", ("--out", str(tmp_path / "made")) if command == "train" else ()
    log.write_text("who,when,song\nann,1700000000,t1\n")
    asked = (command, "--listens", str(log), *more)
    assert "--map listened_at=NAME" in segue(*asked).one_line
    assert "name it with --map" in segue(*asked, "--map", "listened_at=when").one_line
    assert "each is OURS=THEIRS" in segue(*asked, "--map", "user_id").one_line
    told = segue(*asked, "--map", "user_id=who", "--map", "listened_at=when", "--map", "track_id=song")
    assert "name it with --map" not in told.one_line
    assert "1 listens, 0 tracks, 0 bad lines" in told.out + told.err or command == "tune"


def test_a_release_that_is_not_there_is_named(segue: Segue, tmp_path: Path) -> None:
    said = segue("releases", "diff", "nowhere", "nowhere", "--folder", str(tmp_path))
    assert said.code == 1
    assert "nowhere: no such folder" in said.one_line
