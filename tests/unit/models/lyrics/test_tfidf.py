from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.lyrics.tfidf import Tfidf

SONGS = [
    ["red", "river", "red", "road"],
    ["red", "road", "home"],
    ["blue", "river", "road", "home"],
    ["blue", "blue", "home"],
]


def test_weights_are_scikit_learns() -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text", reason="needs segue[lyrics]")
    made = Tfidf.fit(SONGS, 50)
    terms = lambda words: [*words, *(f"{one} {two}" for one, two in pairwise(words))]  # noqa: E731  # shorter so
    other = text.TfidfVectorizer(analyzer=terms, vocabulary=made.terms)
    wanted = other.fit_transform(SONGS).toarray()
    bags = made.bags(SONGS)
    assert bags.dense(0, 4) == pytest.approx(wanted, abs=1e-6)


def test_terms_of_one_song_alone_are_left_out() -> None:
    assert Tfidf.fit(SONGS, 50).terms == ["blue", "home", "red", "red road", "river", "road", "road home"]
    assert Tfidf.fit(SONGS, 3).terms == ["blue", "home", "red"]  # three times each, of road too: by the alphabet


def test_rows_may_be_chosen_and_empty() -> None:
    bags = Tfidf.fit(SONGS, 50).bags([*SONGS, ["unknown"]])
    assert bags.rows(np.array([4, 2])).dense(0, 2) == pytest.approx(bags.dense(0, 5)[[4, 2]])
    assert not bags.dense(4, 5).any()


def test_it_is_the_same_when_it_is_loaded(tmp_path: Path) -> None:
    made = Tfidf.fit(SONGS, 50)
    made.save(tmp_path / "terms.parquet")
    again = Tfidf.load(tmp_path / "terms.parquet")
    assert again.terms == made.terms
    assert again.bags(SONGS).dense(0, 4) == pytest.approx(made.bags(SONGS).dense(0, 4))
