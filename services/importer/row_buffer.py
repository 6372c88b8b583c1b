"""Collects rows that come one by one into batches of columns."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from services.importer.rows import ROWS

BATCH_ROWS = 50_000


class RowBuffer:
    """Rows of the named columns (of ROWS, or as `schema` says), given back as one frame."""

    def __init__(self, columns: Sequence[str], schema: dict[str, pl.DataType] | None = None) -> None:
        self._schema = {name: (schema or ROWS)[name] for name in columns}
        self._rows: list[tuple[Any, ...]] = []
        self.add = self._rows.append

    @property
    def full(self) -> bool:
        """Whether it is time to take a batch out."""
        return len(self._rows) >= BATCH_ROWS

    def __len__(self) -> int:
        return len(self._rows)

    def take(self) -> pl.DataFrame:
        """The rows so far; the buffer is empty again."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(self._schema)
        frame = pl.DataFrame(
            [
                pl.Series(name, list(values), kind, strict=False)
                for (name, kind), values in zip(self._schema.items(), columns, strict=True)
            ]
        )
        self._rows.clear()
        return frame
