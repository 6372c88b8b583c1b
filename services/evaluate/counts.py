"""A file of counts: three columns, listener, item, count, as text with any usual separator or as Parquet."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from models.counts.data import matrix_of
from services.runtime.errors import Fatal

SEPARATORS = "\t,;"
NAMES = ["listener", "item", "count"]


def read_counts(path: Path) -> csr_matrix:
    """(listeners, items) of the first three columns; a pair that stands there twice is added up. Raises Fatal.

    Listeners and items may be named by anything; a first line whose third field is no number is a header.
    """
    frame = _frame(path).select(pl.nth(0, 1, 2))
    frame.columns = NAMES
    counts = frame["count"].cast(pl.Float64, strict=False)
    wrong = (counts.is_null() | ~counts.is_finite().fill_null(False) | (counts <= 0).fill_null(False)).arg_true()
    missing = frame.select(pl.any_horizontal(pl.col("listener", "item").is_null())).to_series().arg_true()
    bad = sorted({*wrong.to_list(), *missing.to_list()})
    if bad:
        raise Fatal(
            f"{path}: row {bad[0] + 1} of the counts, and {len(bad) - 1:,} more, are not a listener, an item and a "
            "count above 0; mend or leave them out"
        )
    if frame.is_empty():
        raise Fatal(f"{path}: no counts in it; it takes lines of listener, item and count")
    return matrix_of(_numbers(frame["listener"]), _numbers(frame["item"]), counts.to_numpy())


def _frame(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else _text(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        # Polars quotes the cell that it stumbled on: of a file that is none of counts that may be anything.
        why, quoted, _ = str(error).splitlines()[0].partition("`")
        why += "a cell (an unclosed quote?)" if quoted else ""
        raise Fatal(f"{path}: cannot be read as counts: {why}") from None
    if frame.width < len(NAMES):
        raise Fatal(f"{path}: {frame.width} columns where listener, item and count are needed")
    return frame


def _text(path: Path) -> pl.DataFrame:
    with path.open(encoding="utf-8-sig") as lines:
        first = lines.readline()
    separator = max(SEPARATORS, key=first.count)
    fields = first.strip().split(separator)
    named = len(fields) >= len(NAMES) and not _is_number(fields[2])
    return pl.read_csv(path, separator=separator, has_header=named, infer_schema=False)


def _is_number(text: str) -> bool:
    try:
        float(text.strip('"'))
    except ValueError:
        return False
    return True


def _numbers(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Each value's number, in the order of the values: the same file in another order gives the same matrix."""
    return column.rank("dense").to_numpy().astype(np.int64) - 1
