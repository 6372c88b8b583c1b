"""Whether the trainer's history holds every offset of the log once."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl


def wrong_offsets(history: Path, ends: Mapping[int, int]) -> int:
    """Offsets that two segments hold, and gaps between segments; how far the history goes is the trainer's affair.

    A segment's name is its range of offsets, dead letters included, and its rows are the listens in it.
    """
    wrong = 0
    for folder in sorted((history / "listens").glob("*")):
        spans = sorted(tuple(map(int, path.stem.split("-"))) for path in folder.glob("[0-9]*.parquet"))
        offsets = [pl.read_parquet(path, columns=["offset"])["offset"] for path in folder.glob("[0-9]*.parquet")]
        rows = pl.concat(offsets) if offsets else pl.Series("offset", [], pl.Int64)
        wrong += len(rows) - rows.n_unique()
        for (_, last), (first, _) in pairwise(spans):
            wrong += abs(first - last - 1)
        wrong += sum(last >= ends.get(int(folder.name), 0) for _, last in spans)
    return wrong
