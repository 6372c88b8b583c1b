"""From tracks with lyrics to a release that picks topics, and what happens where a package is missing."""

import logging
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models import release
from models.lyrics import part
from models.lyrics.pick import pick
from models.lyrics.settings import LyricsSettings
from models.lyrics.songs import SONGS
from models.train import TrainSettings, train
from tests.unit.models.lyrics.worlds import told, tracks

SETTINGS = LyricsSettings(topic_seeds=1, epochs=3, dimensions=8, clusters=3, features=200, threads=1, words="plain")
COLUMNS = {"user_id": pl.String, "track_id": pl.String, "listened_at": pl.Int64, "artist": pl.String}
NO_LISTENS = pl.DataFrame(schema=COLUMNS)


def trained(described: pl.DataFrame, root: Path) -> release.Release:
    settings = TrainSettings(lyrics=SETTINGS, threads=1)
    return release.load(train(NO_LISTENS, described, root, settings, release_id="r", now_ms=1, window={}))


def test_a_release_picks_topics_and_holds_no_lyrics(tmp_path: Path) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    shifted = "nobody came to light the lamp along the quay"  # the rest of a song where its topic should stand
    described = tracks(63)
    ragged = described.head(1).with_columns(
        track_id=pl.lit("t63"), artist=pl.lit("Zed"), title=pl.lit("Quay"), labels=pl.lit(f'{{"topic":"{shifted}"}}')
    )
    described = pl.concat([described, ragged])
    loaded = trained(described, tmp_path)
    known = dict(described.select("track_id", "labels").iter_rows())
    assert loaded.lyrics is not None
    assert {*loaded.lyrics.labels} == {"love", "night", "war", None}
    for topic in ("love", "night", "war"):
        picked = pick(loaded, topic, 22)
        assert all(int(song.track_id[1:]) % 3 == ("love", "night", "war").index(topic) for song in picked)
        assert any(known[song.track_id] is None for song in picked)  # told by its words alone
    metrics = loaded.manifest.metrics
    assert metrics["lyrics"]["songs"] == 64
    shipped = [name for name in ("linear", "paper", "tuned", "tabular") if metrics[f"lyrics_{name}"]["shipped"]]
    assert len(shipped) == 1
    assert {metrics[f"lyrics_{name}"]["shipped"] for name in ("song_model", "tfidf_svd", "static")} == {0.0, 1.0}
    found = {name: metrics[f"lyrics_{name}"]["line_recall@10"] for name in ("song_model", "tfidf_svd", "static")}
    assert found[loaded.lyrics.about.vectors] == max(found.values()) > 0
    held = "\n".join(told(tmp_path / "r" / name) for name in loaded.manifest.files)
    assert described["title"][0] in held
    assert shifted not in held
    assert not [line for text in described["lyrics"] for line in text.splitlines() if line in held]


def test_static_vectors_are_shipped_where_no_song_has_a_line_to_ask(tmp_path: Path) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    one_line = pl.col("lyrics").str.replace_all("\n", " ")
    loaded = trained(tracks(30).with_columns(one_line, labels=pl.lit(None, pl.String)), tmp_path)
    assert loaded.lyrics is not None
    assert loaded.lyrics.about.vectors == "static"
    assert loaded.manifest.metrics["lyrics_static"] == {"line_recall@10": 0.0, "lines": 0.0, "shipped": 1.0}


@pytest.mark.parametrize("artists", [["Ann"], ["Ann", "Bob"]])
def test_labelled_songs_of_too_few_artists_make_a_release_without_a_classifier(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, artists: list[str]
) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    of = [at % 3 % 2 for at in range(30)]  # who sings of love and of war, and who of night
    described = tracks(30).with_columns(
        artist=pl.Series([artists[at % len(artists)] for at in of]),
        labels=pl.Series([f'{{"topic":"{("love", "night")[at]}"}}' for at in of]),
    )
    with caplog.at_level(logging.INFO):
        loaded = trained(described, tmp_path)
    assert loaded.lyrics is not None
    assert (loaded.lyrics.about.topics, loaded.lyrics.about.classifier) == ([], "")
    assert [text for record in caplog.records if "no topic classifier: " in (text := record.getMessage())] == [
        f"no topic classifier: labelled songs of {len(artists)} artists: split by artist, they leave fewer than two "
        "topics to learn from; label songs of more artists"
    ]


def test_songs_of_another_language_are_kept_apart(tmp_path: Path) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    german = "Ich gehe heute abend allein durch die alte Stadt\nund denke noch an dich und unsere Zeit am Meer"
    described = tracks(42)
    other = described.tail(1).with_columns(
        track_id=pl.lit("g"), artist=pl.lit("Anders"), lyrics=pl.lit(german), labels=pl.lit('{"topic":"love"}')
    )
    loaded = trained(pl.concat([described, other]), tmp_path)
    assert loaded.lyrics is not None
    at = loaded.lyrics.rows.tolist().index(loaded.catalogue.row_of["g"])
    assert loaded.lyrics.languages[at] == "de"
    assert not loaded.lyrics.vectors[at].any()
    assert not loaded.lyrics.probabilities[at].any()
    assert loaded.lyrics.clusters[at] == -1
    assert loaded.lyrics.labels[at] is None
    assert pl.read_parquet(tmp_path / "r" / SONGS)["sentiment"].null_count() == 1
    assert np.flatnonzero(np.isnan(loaded.lyrics.sentiment)).tolist() == [at]
    assert "g" not in {song.track_id for song in pick(loaded, "love", 99)}
    feels = dict(loaded.catalogue.frame.select("track_id", "sentiment").iter_rows())
    assert feels.pop("g") is None
    assert None not in feels.values()
    grown = loaded.with_tracks(pl.DataFrame({"track_id": ["new"], "artist": ["Ann"], "title": ["New"]}))
    assert grown.catalogue.frame["sentiment"].to_list() == [*loaded.catalogue.frame["sentiment"], None]
    assert loaded.manifest.metrics["lyrics"]["other_languages"] == 1


def test_without_the_packages_a_release_is_made_without_the_part_and_it_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(part, "find_spec", lambda name: None if name == "torch" else object())
    with caplog.at_level(logging.WARNING):
        loaded = trained(tracks(42), tmp_path)
    assert loaded.lyrics is None
    assert [record.getMessage() for record in caplog.records] == [
        "42 tracks have lyrics, but this release has no lyrics part: torch missing; pip install segue[neural]"
    ]


def test_too_few_songs_make_no_part(tmp_path: Path) -> None:
    loaded = trained(tracks(SETTINGS.min_songs - 1), tmp_path)
    assert loaded.lyrics is None
    assert "lyrics" not in loaded.manifest.metrics["seconds"]


def test_a_line_is_held_out_only_where_the_song_has_it_once() -> None:
    from models.lyrics.record.corpus import split

    refrain, own, short = list("abcd"), list("efgh"), ["a"]
    kept, held = split([[refrain, own, refrain, list("ijkl"), list("mnop")], [refrain, short], []])
    assert held == [list("ijkl"), [], []]
    assert "i" not in kept[0]
    assert kept[1] == ["a", "b", "c", "d", "a"]
    assert np.array(kept[2]).size == 0
