"""ALS on Spark: the same confidences, a release of the same shapes, lists as good. Skipped without pyspark."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.als import spark
from models.als.fit import factorize, fit
from models.als.serve import FoldIn
from models.als.settings import AlsSettings, confidence
from models.evaluation.metrics import ndcg
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings
from models.train import TrainSettings, train

SETTINGS = AlsSettings(factors=16, iterations=10, regularization=16.0)
needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None, reason="needs pyspark: make .venv/.spark, or pip install 'segue[spark]'"
)


def tastes(listeners: int, tracks: int, rng: np.random.Generator) -> csr_matrix:
    """Weights in plays: everybody plays of two groups of ten, popular tracks more, and skips some of the others."""
    groups = rng.integers(10, size=(listeners, 2))
    of_track = np.arange(tracks) % 10
    likely = np.where((of_track == groups[:, :1]) | (of_track == groups[:, 1:]), 0.5, 0.03)
    likely = likely * (1.0 / (1.0 + np.arange(tracks) / 60.0))
    plays = rng.poisson(3.0, (listeners, tracks)) + 1.0
    weights = np.where(rng.random((listeners, tracks)) < likely, plays, 0.0)
    skipped = (weights == 0) & (rng.random((listeners, tracks)) < 0.01)
    return csr_matrix(np.where(skipped, -0.5, weights))


def held_out(weights: csr_matrix, rng: np.random.Generator) -> tuple[csr_matrix, csr_matrix]:
    """A fifth of what was liked, by chance, is not trained on."""
    pairs = weights.tocoo()
    asked = (pairs.data > 0) & (rng.random(pairs.nnz) < 0.2)
    return tuple(  # type: ignore[return-value]  # two of them
        csr_matrix((pairs.data[part], (pairs.row[part], pairs.col[part])), shape=weights.shape)
        for part in (~asked, asked)
    )


def worth(train_part: csr_matrix, test: csr_matrix, settings: AlsSettings) -> float:
    """NDCG@100 of the held-out tracks among all that the listener has not in training; listeners folded in."""
    pairs = train_part.tocoo()
    users, items = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    factors, used = fit(users, items, pairs.data, train_part.shape, settings, threads=2)
    own = [slice(*train_part.indptr[user : user + 2]) for user in range(train_part.shape[0])]
    folded = FoldIn(factors, factors.T @ factors, used).vectors([
        (train_part.indices[span].astype(np.int64), train_part.data[span]) for span in own
    ])  # fmt: skip
    return float(np.mean([judged(folded[user] @ factors.T, train_part[[user]], test[[user]]) for user in asked(test)]))


def asked(test: csr_matrix) -> list[int]:
    users: list[int] = np.flatnonzero(np.diff(test.indptr)).tolist()
    return users


def judged(scores: NDArray[Any], own: csr_matrix, wanted: csr_matrix) -> float:
    scores[own.indices] = -np.inf
    ranked = np.argsort(-scores, kind="stable")[:100]
    return ndcg(np.isin(ranked, wanted.indices), wanted.nnz, 100)


def test_what_spark_is_asked_is_the_same_confidence_without_who_likes_nothing() -> None:
    weights = np.array([[3.0, -1.0, 0.0, 0.0], [0.0, 1.0, 0.0, -2.0], [0.0, -1.0, 0.0, -1.0]])
    matrix = csr_matrix(weights)
    matrix.data = confidence(matrix.data, 16.0)
    likes, ratings = spark._asked(matrix)
    assert likes.getnnz(axis=1).tolist() == [1, 1, 0]
    rows = ratings.sort("user", "item").rows()
    assert [(user, item) for user, item, _ in rows] == [
        (0, 0),
        (0, 1),
        (1, 1),
    ]  # nobody likes 3; 2 likes nothing
    said = [np.copysign(1 + abs(rating), rating) for _, _, rating in rows]  # as Spark reads it, with alpha = 1
    np.testing.assert_allclose(said, confidence(np.array([3.0, -1.0, 1.0]), 16.0), rtol=1e-6)


def test_without_pyspark_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda _name: None)
    with pytest.raises(spark.NoSpark, match=r"pip install 'segue\[spark\]'"):
        factorize(csr_matrix(np.ones((3, 3))), replace(SETTINGS, engine="spark"))


def test_a_track_that_nobody_likes_has_no_factors_and_spark_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def begun(*_: object) -> Iterator[None]:
        raise AssertionError("nothing is to be fitted")
        yield

    monkeypatch.setattr(spark, "_session", begun)
    monkeypatch.setattr(spark, "prove", lambda: None)
    assert not spark.factorize(csr_matrix(-2.0 * np.ones((3, 4))), SETTINGS, 1).any()


@needs_spark
@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning")  # pyspark leaves the sockets to its Java open
def test_lists_are_as_good_within_two_per_cent() -> None:
    rng = np.random.default_rng(3)
    train_part, test = held_out(tastes(1_500, 500, rng), rng)
    ours = worth(train_part, test, SETTINGS)
    theirs = worth(train_part, test, replace(SETTINGS, engine="spark"))
    assert ours > 0.2
    assert theirs == pytest.approx(ours, rel=0.02)


@needs_spark
@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning")
def test_a_history_becomes_the_same_release(tmp_path: Path) -> None:
    pairs = tastes(60, 80, np.random.default_rng(4)).tocoo()
    plays = {"user_id": [f"u{u}" for u in pairs.row], "track_id": [f"t{i}" for i in pairs.col]}
    times = [1_700_000_000_000 + 1000 * at for at in range(pairs.nnz)]
    listens = pl.DataFrame({**plays, "listened_at": times, "ms_played": np.where(pairs.data > 0, 60_000, 5_000)})
    made = {}
    for engine in ("implicit", "spark"):
        als = replace(SETTINGS, engine=engine)
        settings = TrainSettings(als=als, check=CheckSettings(listeners=0), ranker=RankerSettings(listeners=0))
        no_tracks = pl.DataFrame(schema={"track_id": pl.String, "title": pl.String, "artist": pl.String})
        made[engine] = train(listens, no_tracks, tmp_path, settings, release_id=engine, now_ms=0, window={})
    names = [{path.name for path in folder.iterdir()} for folder in made.values()]
    assert names[0] == names[1]
    shapes = [np.load(folder / "als_factors.npy").shape for folder in made.values()]
    assert shapes[0] == shapes[1]
