from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from models.index import TOP, build, recall, search


def normal(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def test_a_small_index_compares_everything() -> None:
    factors, queries = normal(500, 8), normal(20, 8, 1)
    index, measured = build(factors, queries, exact=1_000, min_recall=0.97, seed=1)
    scores, rows = search(index, queries, 5)
    true = np.argsort(-(queries @ factors.T), axis=1)[:, :5]
    assert np.array_equal(rows, true)
    np.testing.assert_allclose(scores, np.take_along_axis(queries @ factors.T, true, 1), rtol=1e-5)
    assert measured["recall@100"] == 1.0


def test_a_large_index_finds_as_much_as_is_asked_of_it() -> None:
    factors, queries = normal(6_000, 16), normal(300, 16, 1)
    index, measured = build(factors, queries, exact=1_000, min_recall=0.9, seed=1)
    assert isinstance(index, faiss.IndexHNSWFlat)
    assert 0.9 <= measured["recall@100"] <= 1.0
    fresh = normal(200, 16, 2)
    true = np.argsort(-(fresh @ factors.T), axis=1)[:, :TOP]
    assert recall(true, search(index, fresh, TOP)[1]) > 0.85
    index.hnsw.efSearch = 1
    assert recall(true[:, :5], search(index, fresh, 5)[1]) < 0.8  # the check above can fail


def test_a_graph_that_finds_too_little_gives_way_to_comparing_everything() -> None:
    factors = np.zeros((2_000, 8), np.float32)  # all alike: any hundred are as good, and the graph finds others
    index, measured = build(factors, normal(20, 8, 1), exact=100, min_recall=1.0, seed=1)
    assert isinstance(index, faiss.IndexFlatIP)
    assert measured["breadth"] == 0


def test_the_breadth_of_the_search_outlives_a_file(tmp_path: Path) -> None:
    index, measured = build(normal(3_000, 8), normal(50, 8, 1), exact=100, min_recall=0.9, seed=1)
    faiss.write_index(index, str(tmp_path / "index"))
    read: Any = faiss.read_index(str(tmp_path / "index"))
    assert read.hnsw.efSearch == measured["breadth"] > 0


def test_the_same_seed_builds_the_same_index() -> None:
    a, b = (build(normal(3_000, 8), normal(50, 8, 1), exact=100, min_recall=0.9, seed=3)[0] for _ in range(2))
    assert np.array_equal(faiss.serialize_index(a), faiss.serialize_index(b))


def test_an_empty_index_answers_with_nothing() -> None:
    index, measured = build(np.empty((0, 8), np.float32), np.empty((0, 8), np.float32), 10, 0.97, 1)
    assert measured["recall@100"] == 1.0
    scores, rows = search(index, normal(3, 8), 5)
    assert scores.shape == rows.shape == (3, 0)


@pytest.mark.parametrize("k", [0, 3, 4, 100])
def test_k_may_be_anything(k: int) -> None:
    index, _ = build(normal(4, 8), np.empty((0, 8), np.float32), 10, 0.97, 1)
    scores, rows = search(index, normal(2, 8, 1), k)
    assert scores.shape == rows.shape == (2, min(k, 4))
    assert ((rows >= 0) & (rows < 4)).all()


def test_nobody_asks() -> None:
    index, _ = build(normal(4, 8), normal(2, 8), 10, 0.97, 1)
    assert search(index, np.empty((0, 8), np.float32), 3)[1].shape == (0, 3)


def test_recall_leaves_out_what_is_not_there() -> None:
    true = np.array([[0, 1, 2, -1], [-1, -1, -1, -1]])
    found = np.array([[2, 0, 9, -1], [-1, -1, -1, -1]])
    assert recall(true, found) == pytest.approx(2 / 3)
    assert recall(true[1:], found[1:]) == 1.0
