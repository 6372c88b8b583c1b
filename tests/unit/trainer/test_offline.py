import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from models import release
from models.als.settings import AlsSettings
from models.ids import key_of, short
from models.profile import ProfileView
from models.train import TrainSettings
from services.trainer.offline import fold_all, profile_of, train_files
from services.trainer.progress import shown

DAY_MS = 86_400_000
NOW = 1_700_000_000_000
SETTINGS = TrainSettings(als=AlsSettings(factors=2))
TRACKS = pl.DataFrame({"track_id": ["a", "a"], "title": ["Old", "New"], "artist": ["X", "X"]})
LISTENS = pl.DataFrame(
    {
        "event_id": ["3", "1", "2", "2"],
        "user_id": ["u", "u", "v", "v"],
        "track_id": ["b", "a", "a", "a"],
        "listened_at": [NOW, NOW - DAY_MS, NOW, NOW],
        "artist": ["Y", "X", "X", "X"],
    }
)


def test_files_make_a_release_and_its_listeners_profiles(tmp_path: Path) -> None:
    out = train_files(LISTENS, TRACKS, tmp_path / "mine", SETTINGS, NOW)
    loaded = release.load(out)
    assert loaded.id == "mine"
    assert dict(zip(loaded.catalogue.track_ids, loaded.catalogue.titles, strict=True)) == {"a": "New", "b": "b"}
    assert "profiles.parquet" not in loaded.manifest.files
    assert (out / "profiles.parquet").stat().st_mode & 0o777 == 0o600
    view = ProfileView(profile_of(out, "u") or b"")
    assert view.recent.tolist() == [short(key_of("a")), short(key_of("b"))]  # by time, whatever the file's order
    assert ProfileView(profile_of(out, "v") or b"").plays == 1  # sent twice
    assert profile_of(out, "nobody") is None


def test_a_release_of_the_trainer_has_no_profiles(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="segue train"):
        profile_of(tmp_path, "u")


def test_listens_without_event_ids_are_all_folded() -> None:
    listens = LISTENS.drop("event_id").with_columns(kind=pl.lit("play"), scope=pl.lit("track"))
    profiles = dict(fold_all(listens, SETTINGS.taste, lambda _step, _done: None).iter_rows())
    assert ProfileView(profiles["v"]).plays == 2


def test_away_from_a_terminal_each_step_is_one_line(tmp_path: Path) -> None:
    text = io.StringIO()
    with shown(Console(file=text)) as progress:
        train_files(LISTENS, TRACKS, tmp_path / "mine", SETTINGS, NOW, progress)
    lines = text.getvalue().splitlines()
    assert lines[0] == "Reading the listens ..."
    assert lines[-1] == "Folding the profiles ..."
    assert len(lines) == len(set(lines))


def test_on_a_terminal_each_step_is_a_bar(tmp_path: Path) -> None:
    text = io.StringIO()
    with shown(Console(file=text, force_terminal=True, width=100)) as progress:
        train_files(LISTENS, TRACKS, tmp_path / "mine", SETTINGS, NOW, progress)
    assert "Fitting ALS" in text.getvalue()
