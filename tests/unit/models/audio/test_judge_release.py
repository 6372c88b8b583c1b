"""Judging a release's vectors and pairs on sounds that are easily told apart: needs torch."""

from pathlib import Path

import numpy as np
import pytest

from models.audio.extract import Heard
from models.audio.logmel import logmel
from models.audio.settings import AudioSettings, MelSettings
from tests.unit.models.audio.sounds import noise, tone

pytest.importorskip("torch", reason="needs segue[neural]")
pytest.importorskip("onnxscript", reason="needs segue[neural]")
from models.audio.judge_release import Labelled, Scored, judge, measured

MELS = MelSettings()


@pytest.mark.slow
def test_what_is_easily_told_apart_is_near_and_alike(tmp_path: Path) -> None:
    count = 16
    mels = [logmel(tone(150 + 10 * at, 1.2) if at % 2 else noise(at, 1.2), MELS) for at in range(count)]
    labelled = Labelled(
        [Heard(f"{at:064x}", mel.astype(np.float16)) for at, mel in enumerate(mels)],
        [{"genre": {"tone" if at % 2 else "noise": 1.0}} for at in range(count)],
        [str(at) for at in range(count)],
        [""] * count,
    )
    told: list[float] = []
    made = judge("genre", labelled, MELS, AudioSettings(cache="", crops=64), 2, 1, told.append)
    assert made.near["2,304"]["same_class@5"].mean > 0.65
    assert made.near["chance"]["same_class@5"].mean == pytest.approx(0.5)
    assert made.pairs["pair network"]["auc"].mean > 0.95
    assert set(made.pairs) == {"pair network", "cosine of 2,304", "cosine of mean MFCCs"}
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_threshold_is_that_of_the_other_folds() -> None:
    known = np.array([True, True, False, False])
    folds = [
        Scored(known, {"a": np.array([0.9, 0.8, 0.2, 0.1], dtype=np.float32)}),
        Scored(known[:0], {"a": np.zeros(0, dtype=np.float32)}),
        Scored(known, {"a": np.array([0.5, 0.4, 0.3, 0.0], dtype=np.float32)}),
    ]
    first, last = measured(folds)
    assert first["a"] == {"auc": 1.0, "balanced_accuracy": 1.0}  # 0.4 tells the first apart
    assert last["a"] == {"auc": 1.0, "balanced_accuracy": 0.5}  # 0.8 says no to all of the last
    assert measured(folds[:1]) == [{"a": {"auc": 1.0}}]
