from pathlib import Path

import polars as pl
import pytest

from models import release
from models.als.settings import AlsSettings
from models.neighbours.settings import NeighbourSettings
from models.train import TrainSettings, train
from services.trainer.differences import Change, difference

LISTENS = pl.DataFrame(
    {"user_id": ["u", "u", "v"], "track_id": ["a", "b", "a"], "listened_at": [1_700_000_000_000] * 3}
)
MORE = pl.DataFrame({"user_id": ["w", "w"], "track_id": ["a", "c"], "listened_at": [1_700_000_001_000] * 2})
TRACKS = pl.DataFrame(schema={"track_id": pl.String})


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    one = TrainSettings(als=AlsSettings(factors=2))
    other = TrainSettings(als=AlsSettings(factors=3, alpha=2.0), neighbours=NeighbourSettings(most=7))
    return (
        train(LISTENS, TRACKS, tmp_path, one, release_id="one", now_ms=10, window={}),
        train(pl.concat([LISTENS.filter(pl.col("track_id") != "b"), MORE]), TRACKS, tmp_path, other, release_id="other",
              now_ms=20, window={}),
    )  # fmt: skip


def test_only_settings_that_differ_are_named(two: tuple[Path, Path]) -> None:
    found = difference(*two)
    assert (found.before, found.after, found.created) == ("one", "other", Change(10, 20))
    regularization = found.settings["als.regularization"]  # lowered to what so small a history can bear
    assert found.settings == {
        "als.factors": Change(2, 3),
        "als.alpha": Change(16.0, 2.0),
        "als.regularization": regularization,
        "neighbours.most": Change(100, 7),
        "history.until": Change(1_700_000_000_000, 1_700_000_001_000),
    }
    assert found.versions == {}


def test_tracks_listens_and_listeners_are_counted(two: tuple[Path, Path]) -> None:
    found = difference(*two)
    assert (found.listens, found.listeners) == (Change(3, 4), Change(2, 3))
    tracks = found.catalogue
    assert (tracks.before, tracks.after, tracks.both, tracks.added, tracks.gone) == (2, 2, 1, 1, 1)
    assert tracks.top_both == 1


def test_figures_and_files_stand_beside_each_other(two: tuple[Path, Path]) -> None:
    found = difference(*two)
    assert found.files[release.GRAM] == Change(
        (two[0] / release.GRAM).stat().st_size, (two[1] / release.GRAM).stat().st_size
    )
    assert "index.recall@100" in found.metrics
    assert not [name for name in found.metrics if name.startswith("seconds")]


def test_a_release_and_itself_differ_in_nothing(two: tuple[Path, Path]) -> None:
    found = difference(two[0], two[0])
    assert not found.settings
    assert all(change.before == change.after for change in (*found.metrics.values(), *found.files.values()))


def test_an_altered_release_is_refused(two: tuple[Path, Path]) -> None:
    (two[1] / release.CATALOGUE).write_bytes(b"altered")
    with pytest.raises(release.BadRelease, match="not the file that was published"):
        difference(*two)
