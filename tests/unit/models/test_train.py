from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from models import catalogue, release
from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.heldout import cut
from models.ids import key_of
from models.index import search
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings
from models.train import TrainSettings, probe, train
from schemas.release import Span

DAY_MS = 86_400_000
NOW = 1_700_000_000_000
SETTINGS = TrainSettings(als=AlsSettings(factors=8, iterations=20))
NO_TRACKS = pl.DataFrame(schema={"track_id": pl.String, "title": pl.String, "artist": pl.String})


def checkerboard(size: int) -> pl.DataFrame:
    """Even listeners play even tracks, odd ones odd tracks, once each, but never the track of their own number."""
    cells = [(u, i) for u in range(size) for i in range(size) if u % 2 == i % 2 and u != i]
    return pl.DataFrame(
        {
            "event_id": [f"{u}/{i}" for u, i in cells],
            "user_id": [f"u{u}" for u, _ in cells],
            "track_id": [f"t{i}" for _, i in cells],
            "listened_at": [NOW + number for number in range(len(cells))],
            "artist": [f"Artist {i}" for _, i in cells],
        }
    )


def made(listens: pl.DataFrame, root: Path, tracks: pl.DataFrame = NO_TRACKS, name: str = "r1") -> release.Release:
    folder = train(listens, tracks, root, SETTINGS, release_id=name, now_ms=NOW, window={"0": Span(0, 9)})
    assert folder == root / name
    return release.load(folder)


def test_a_release_recommends_the_held_out_diagonal(tmp_path: Path) -> None:
    size = 30
    loaded = made(checkerboard(size), tmp_path)
    fold_in = FoldIn.of(loaded)
    for user in range(size):
        own = np.array([loaded.catalogue.track_ids.index(f"t{i}") for i in range(user % 2, size, 2) if i != user])
        _, rows = search(loaded.index, fold_in.vectors([(own, np.ones(len(own)))]), size)
        new = [row for row in rows[0].tolist() if row not in own]
        assert loaded.catalogue.track_ids[new[0]] == f"t{user}"


def test_the_manifest_says_what_the_release_was_made_of(tmp_path: Path) -> None:
    loaded = made(checkerboard(20), tmp_path)
    manifest = loaded.manifest
    assert (manifest.tracks, manifest.listeners, manifest.listens) == (20, 20, 180)
    assert manifest.window == {"0": Span(0, 9)}
    assert manifest.created_at == NOW
    assert manifest.settings["taste"]["half_life_days"] == 14.0
    assert 0 < manifest.settings["als"]["regularization"] <= 30.0
    assert set(manifest.versions) >= {"implicit", "numpy", "faiss-cpu", "onnxruntime"}
    learned_with = {name for name in ("onnx", "torch") if find_spec(name)}
    assert learned_with == {"onnx", "torch"} & set(manifest.versions)
    assert "threads" not in manifest.settings["lyrics"]
    assert "spark" not in manifest.settings["als"]
    assert set(manifest.metrics) >= {"index", "seconds"}
    assert manifest.settings["list"]["mix"] == "for-you"
    assert manifest.settings["warm_start"] is None
    assert manifest.settings["neighbours"]["window"] == 10
    assert set(manifest.files) >= set(release.REQUIRED)
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_the_same_history_gives_the_same_files(tmp_path: Path) -> None:
    one, two = (made(checkerboard(20), tmp_path, name=name).manifest for name in ("r1", "r2"))
    assert one.files == two.files


def test_an_empty_history_still_makes_a_release_of_the_known_tracks(tmp_path: Path) -> None:
    nothing = checkerboard(4).clear()
    tracks = pl.DataFrame({"track_id": ["b", "a"], "title": ["B", "A"], "artist": ["X", "Y"]})
    loaded = made(nothing, tmp_path, tracks)
    assert loaded.catalogue.track_ids == ["a", "b"]
    assert loaded.factors.shape == (0, 8)
    assert loaded.index.ntotal == 0
    assert not FoldIn.of(loaded).vectors([(np.array([0]), np.ones(1))]).any()


def test_nothing_at_all_makes_an_empty_release(tmp_path: Path) -> None:
    assert len(made(checkerboard(4).clear(), tmp_path).catalogue) == 0


def test_one_listener_gives_popularity_without_factors(tmp_path: Path) -> None:
    listens = checkerboard(12).filter(pl.col("user_id") == "u0")
    loaded = made(listens, tmp_path)
    assert len(loaded.catalogue) == 5
    assert len(loaded.factors) == 0
    assert loaded.catalogue.popularity.max() == 1.0


def test_skips_alone_make_a_release(tmp_path: Path) -> None:
    skips = checkerboard(8).with_columns(kind=pl.lit("skip"))
    loaded = made(skips, tmp_path)
    assert len(loaded.catalogue) == 8
    assert loaded.manifest.listeners == 8
    assert len(loaded.factors) == 0


def test_tracks_nobody_played_stand_after_the_played_and_unnamed_ones_get_their_id(tmp_path: Path) -> None:
    tracks = pl.DataFrame({"track_id": ["t0", "silent"], "title": ["Zero", "Silent"], "artist": ["A", "B"]})
    loaded = made(checkerboard(6), tmp_path, tracks)
    names = dict(
        zip(
            loaded.catalogue.track_ids, zip(loaded.catalogue.titles, loaded.catalogue.artists, strict=True), strict=True
        )
    )
    assert loaded.catalogue.track_ids[-1] == "silent"
    assert names["t0"] == ("Zero", "A")
    assert names["t1"] == ("t1", "Artist 1")
    keys = np.load(tmp_path / loaded.id / release.KEYS)
    assert keys[0].tolist() == [key_of(track) for track in loaded.catalogue.track_ids]


def test_a_release_with_keys_of_another_catalogue_is_never_published(tmp_path: Path) -> None:
    loaded = made(checkerboard(6), tmp_path)
    loaded.catalogue.artist_keys[0] += 1
    with pytest.raises(release.BadRelease, match=r"keys\.npy is not of this catalogue"):
        probe(loaded)


def test_a_release_that_fails_its_checks_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: release.Release) -> None:
        raise release.BadRelease("no")

    monkeypatch.setattr("models.train.probe", refuse)
    with pytest.raises(release.BadRelease):
        made(checkerboard(6), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_release_is_never_overwritten(tmp_path: Path) -> None:
    made(checkerboard(6), tmp_path)
    with pytest.raises(FileExistsError, match="never overwritten"):
        made(checkerboard(8), tmp_path)
    assert release.load(tmp_path / "r1").manifest.tracks == 6


def test_two_tracks_of_one_key_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "key_of", lambda track: 7 if track in ("t0", "t1") else hash(track))
    with pytest.raises(catalogue.DuplicateKey, match=r"'t[01]' and 't[01]'"):
        made(checkerboard(6), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_progress_names_each_step_and_ends_it(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    train(checkerboard(6), NO_TRACKS, tmp_path, SETTINGS, release_id="r", now_ms=0, window={},
          progress=lambda step, done: told.append((step, done)))  # fmt: skip
    steps = list(dict(told))
    assert steps == ["read", "check", "ranker", "repeat", "weigh", "catalogue", "als", "neighbours", "index", "bridge"]
    assert all((step, 1.0) in told for step in steps)


def test_probing_finds_a_release_whose_index_does_not_answer(tmp_path: Path) -> None:
    loaded = made(checkerboard(10), tmp_path)
    probe(loaded)
    loaded.index.reset()
    with pytest.raises(release.BadRelease, match="does not answer"):
        probe(loaded)


def test_gaps_of_the_history_are_told(tmp_path: Path) -> None:
    folder = train(checkerboard(6), NO_TRACKS, tmp_path, SETTINGS, release_id="r", now_ms=0,
                   window={"0": Span(0, 99)}, gaps={"0": [Span(10, 19)]})  # fmt: skip
    assert release.check(folder).settings["history"] == {"gaps": {"0": [{"first": 10, "last": 19}]}, "until": NOW + 11}


def test_the_check_can_be_left_out(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, check=CheckSettings(listeners=0), ranker=RankerSettings(listeners=0))
    folder = train(checkerboard(6), NO_TRACKS, tmp_path, settings, release_id="r", now_ms=0, window={})
    assert set(release.check(folder).metrics) == {"index", "seconds"}


def test_held_out_is_the_last_days_but_never_most_of_the_listens() -> None:
    year = pl.DataFrame({"listened_at": [NOW - day * DAY_MS for day in range(365)]})
    assert cut(year, days=7, share=0.05) == NOW - 7 * DAY_MS
    hour = pl.DataFrame({"listened_at": [NOW - minute * 60_000 for minute in range(100)]})
    assert hour.filter(pl.col("listened_at") >= cut(hour, days=7, share=0.05)).height <= 6
