"""Where held-out time begins: a history is split by time, never at random."""

from math import ceil

import polars as pl


def cut(listens: pl.DataFrame, days: float, share: float) -> int:
    """The time (ms) where held-out begins: the last `days`, but never more than `share` of the listens."""
    newest = listens["listened_at"].max()
    latest = listens["listened_at"].sort()[max(0, ceil(listens.height * (1 - share)) - 1)] if listens.height else 0
    return max(int(newest - days * 86_400_000) if isinstance(newest, int) else 0, int(latest))
