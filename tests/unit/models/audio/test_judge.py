"""Cross-validation of a labelled set; the network itself is stood in for."""

import numpy as np
import pytest

from models.audio import judge as judging
from models.audio.judge import Examples, Fold, judge
from models.audio.settings import MelSettings, NetworkSettings

MELS = MelSettings()


def examples(groups: int = 12, each: int = 3) -> Examples:
    """Groups of recordings of one class each, as the notes of a pitch or the crops of a track."""
    rng = np.random.default_rng(5)
    group = np.arange(groups).repeat(each)
    mels = [rng.normal(size=(MELS.rows, 60)).astype(np.float16) for _ in group]
    return Examples(mels, np.eye(2, dtype=np.float32)[group % 3 % 2], [f"g{at}" for at in group], [""] * len(group))


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """What each fold learned from and was asked about, instead of learning."""
    told: list[tuple[np.ndarray, np.ndarray]] = []

    def learned(of, parts, *_) -> list[Fold]:  # type: ignore[no-untyped-def]  # as _learned
        told.extend(parts)
        count = len(of.mels)
        vectors = np.random.default_rng(1).normal(size=(count, 8)).astype(np.float32)
        return [Fold(asked, own, of.targets[asked], vectors, 1, 0.0) for own, asked in parts]

    monkeypatch.setattr(judging, "_learned", learned)
    return told


def test_no_group_is_in_two_folds(splits: list[tuple[np.ndarray, np.ndarray]]) -> None:
    given = examples()
    made = judge("genre", ["a", "b"], given, MELS, NetworkSettings(), 4, 1)
    assert len(splits) == 4
    groups = np.array(given.groups)
    for learned, asked in splits:
        assert not set(groups[learned]) & set(groups[asked])
    assert sorted(np.concatenate([asked for _, asked in splits]).tolist()) == list(range(len(groups)))
    assert (made.recordings, made.groups) == (36, 12)
    assert made.figures["network"]["accuracy"].mean == 1.0
    assert np.array_equal(made.confusion, np.diag(given.targets.sum(axis=0)))


def test_the_majority_is_of_what_was_learned(splits: list[tuple[np.ndarray, np.ndarray]]) -> None:
    given = examples(4)
    given.targets[:] = np.eye(2)[np.arange(4).repeat(3) % 2]
    made = judge("genre", ["a", "b"], given, MELS, NetworkSettings(), 4, 1)
    # Two groups of each class: of what is left of them, the other class is more frequent.
    assert made.figures["majority"]["accuracy"].mean == 0.0


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="3 groups are too few for 5 folds"):
        judge("genre", ["a", "b"], examples(3), MELS, NetworkSettings(), 5, 1)
