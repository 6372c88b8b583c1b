"""Popularity: the order of the catalogue, and the first list of a stranger."""

import polars as pl

from models.taste import DAY

RECENT_DAYS = 28


def rank(pairs: pl.DataFrame, tracks: pl.DataFrame, min_listeners: int, half_life_days: float) -> pl.DataFrame:
    """`tracks` (track_id, …) most popular first, with popularity (1 falling, > 0) and counts (catalogue.COLUMNS).

    `pairs` as from models.interactions.weigh. A track counts one for each distinct listener who played it to its
    merit, less as their last play ages; plays break ties, then the track's id, so the order is always the same. Tracks
    of at least `min_listeners` stand before all others, those that nobody played stand last.
    """
    newest, liked = pairs["last"].max(), pl.col("plays") > 0
    heard = (
        pairs.lazy()
        .with_columns(fresh=pl.lit(2.0).pow((pl.col("last") - newest) / (half_life_days * DAY)))
        .group_by("track_id")
        .agg(
            listeners=liked.sum(),
            plays=pl.col("plays").sum(),
            skips=pl.col("skips").sum(),
            first_heard=pl.col("first").min(),
            recent_listeners=(liked & (pl.col("last") > pl.lit(newest) - RECENT_DAYS * DAY)).sum(),
            fresh=pl.col("fresh").filter(liked).sum(),
        )
        .collect()
    )
    ranked = (
        tracks.join(heard, on="track_id", how="left")
        .with_columns(
            *(
                pl.col(name).fill_null(0).cast(pl.UInt32)
                for name in ("listeners", "plays", "skips", "recent_listeners")
            ),
            pl.col("fresh").fill_null(0.0),
            pl.col("first_heard").fill_null(0),
        )
        .with_columns(enough=pl.col("listeners") >= min_listeners, played=pl.col("listeners") > 0)
        .sort(
            ["enough", "played", "fresh", "plays", "track_id"],
            descending=[True, True, True, True, False],
        )
    )
    return ranked.with_columns(popularity=_falling(ranked["fresh"])).drop("enough", "played", "fresh")


def _falling(fresh: pl.Series) -> pl.Series:
    """Freshness as a share of the first's, never rising down the rows, never 0."""
    top = fresh[0] if len(fresh) and fresh[0] > 0 else 1.0
    return (fresh / top).clip(1e-6, 1.0).cum_min().cast(pl.Float32)
