"""A file that goes over the others: what `segue tune` writes for the trainer."""

from pathlib import Path

import pytest

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


def test_the_lists_that_a_release_is_judged_by_are_those_of_the_scorer() -> None:
    environ = {"SEGUE_LIST_ARTIST_CAP": "3", "SEGUE_TRAINER_CHECK_TOLERANCE": "0.5", "SEGUE_TRAINER_CHECK_LEAST": "7"}
    settings = trainer_settings(environ).train()
    assert settings.lists.artist_cap == 3
    assert (settings.check.tolerance, settings.check.least) == (0.5, 7)
