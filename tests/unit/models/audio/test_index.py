import numpy as np

from models.audio.index import TOP, build, others


def vectors(count: int, seed: int = 1) -> np.ndarray:
    """In groups, of few directions, as what networks make is."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count // 20, 24)) @ rng.normal(size=(24, 2304))
    made = np.repeat(centres, 20, axis=0) + 0.3 * rng.normal(size=(count, 24)) @ rng.normal(size=(24, 2304))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_few_vectors_are_all_compared() -> None:
    index, measured = build(vectors(400), 1_000, 0.95, 1)
    assert measured["recall@5"] == 1.0
    assert measured["bytes"] == 4 * 2304
    assert index.ntotal == 400


def test_many_are_compressed_and_still_found() -> None:
    made = vectors(4_000)
    index, measured = build(made, 1_000, 0.95, 1)
    assert measured["recall@5"] >= 0.95
    assert measured["bytes"] <= 4 * 2304 / 8
    scores, rows = index.search(made[:50], TOP)
    assert (rows[:, 0] == np.arange(50)).mean() > 0.9
    assert (np.diff(scores, axis=1) <= 1e-6).all()


def test_the_others_are_without_the_query() -> None:
    found = np.array([[3, 1, 2], [5, 7, 4], [6, 8, 9]])  # the third is not among its own nearest
    assert others(found, np.array([3, 7, 0])).tolist() == [[1, 2], [5, 4], [6, 8]]
    assert others(np.array([[0]]), np.array([0])).tolist() == [[]]
