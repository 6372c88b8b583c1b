"""`segue tune`: a search that can be ended and gone on with, whose result a training reads."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import polars as pl
import pytest

from models import release
from tests.unit.cli.conftest import Segue
from tests.unit.models.evaluation.logs import crowd


@pytest.fixture(scope="module")
def listens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listens") / "listens.parquet"
    crowd(5, listeners=16, weeks=6).write_parquet(path)
    return path


def test_its_settings_are_what_a_training_uses(segue: Segue, listens: Path, tmp_path: Path) -> None:
    said = segue("tune", "--listens", str(listens), "--trials", "6", "--weeks", "1", "--html", "page.html", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert len(found["trials"]) == 6
    assert found["before"]["settings"] == found["trials"][0]["settings"]
    assert found["before"]["settings"]["factors"] == 64  # what stood before is tried first
    assert found["chosen"] in found["trials"]
    tuned = tomllib.loads(Path("tuned.toml").read_text())
    assert tuned["als"]["factors"] == found["chosen"]["settings"]["factors"]
    assert tuned["taste"]["half_life_days"] == pytest.approx(found["chosen"]["settings"]["half_life_days"], rel=1e-4)
    assert Path("page.html").read_text().count("<svg") == 3
    shown = segue("tune", "--listens", str(listens), "--trials", "6", "--weeks", "1")
    assert shown.out.strip() == Path("tuned.toml").read_text().strip()
    made = segue("train", "--listens", str(listens), "--out", "made", "--settings", "tuned.toml")
    assert made.code == 0, made.err
    settings = release.read_manifest(tmp_path / "made").settings
    assert settings["als"]["alpha"] == tuned["als"]["alpha"]
    assert settings["als"]["iterations"] == tuned["als"]["iterations"]
    assert settings["taste"]["half_life_days"] == tuned["taste"]["half_life_days"]


def test_it_goes_on_where_it_was_ended_and_refuses_another_log(segue: Segue, listens: Path, tmp_path: Path) -> None:
    options = ("tune", "--listens", str(listens), "--weeks", "1", "--no-half-life", "--json")
    first = json.loads(segue(*options, "--trials", "3").out)["trials"]
    again = json.loads(segue(*options, "--trials", "5").out)["trials"]
    assert again[:3] == first
    assert len(again) == 5
    assert len({json.dumps(trial["settings"]) for trial in again}) == 5
    assert "half_life_days" not in again[0]["settings"]
    other = tmp_path / "other.parquet"
    pl.read_parquet(listens).head(-1).write_parquet(other)
    said = segue("tune", "--listens", str(other), "--weeks", "1", "--no-half-life")
    assert said.code == 1
    assert "is a study of other listens" in said.one_line


def test_settings_outside_of_what_is_searched_are_tried_first_as_they_are(
    segue: Segue, listens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("tune", "--listens", str(listens), "--weeks", "1", "--trials", "1", "--json")
    now = {"factors": 8, "iterations": 2, "regularization": 400.0, "alpha": 0.25, "half_life_days": 200.0}
    for name, value in now.items():
        monkeypatch.setenv(f"SEGUE_{'TASTE' if name == 'half_life_days' else 'ALS'}_{name.upper()}", str(value))
    found = json.loads(segue(*options).out)
    assert found["before"]["settings"] == found["trials"][0]["settings"] == now
    monkeypatch.setenv("SEGUE_ALS_ALPHA", "0")
    said = segue(*options)
    assert said.code == 1
    assert "alpha = 0.0 cannot be searched from" in said.one_line


def test_an_output_that_is_the_log_or_another_output_is_refused(segue: Segue, listens: Path) -> None:
    before = listens.read_bytes()
    for options, named in (
        (("--out", str(listens)), f"--listens {listens} and --out {listens} are one file"),
        (("--study", str(listens)), f"and --study {listens} are one file"),
        (("--out", "t", "--study", "t"), "--out t and --study t are one file"),
        (("--html", "tuned.toml"), "--out tuned.toml and --html tuned.toml are one file"),
    ):
        said = segue("tune", "--listens", str(listens), "--weeks", "1", "--trials", "1", *options)
        assert said.code == 1
        assert named in said.one_line
    assert listens.read_bytes() == before


def test_a_file_that_is_no_study_is_named(segue: Segue, listens: Path, tmp_path: Path) -> None:
    (tmp_path / "tune.db").write_text("no database")
    said = segue("tune", "--listens", str(listens), "--weeks", "1")
    assert said.code == 1
    assert "tune.db: cannot be used as a study file" in said.one_line


def test_a_log_in_which_nobody_can_be_judged_is_told(segue: Segue, listens: Path, tmp_path: Path) -> None:
    pl.read_parquet(listens).head(3).write_parquet(tmp_path / "short.parquet")
    said = segue("tune", "--listens", "short.parquet")
    assert said.code == 1
    assert "nobody can be judged" in said.one_line


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ended_in_the_midst_of_a_trial_it_loses_only_that(
    listens: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "services.cli", "tune", "--listens", str(listens), "--weeks", "1", "--json"]
    environ = {**{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}}
    environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    process = subprocess.Popen([*command, "--trials", "10000"], cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)  # fmt: skip
    deadline = time.monotonic() + 120
    assert process.stderr is not None
    for line in process.stderr:
        if b"trial " in line or time.monotonic() > deadline:
            break
    process.send_signal(number)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == code, rest
    assert b"Traceback" not in rest
    done = subprocess.run([*command, "--trials", "4"], cwd=tmp_path, env=environ, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert len(json.loads(done.stdout)["trials"]) >= 4
