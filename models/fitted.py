"""Everything that one fit makes of a history: the catalogue, who weighs what, and the item factors."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models import catalogue, interactions, popular
from models.als.fit import fit as fit_als
from models.als.settings import AlsSettings
from models.neighbours import fit as fit_neighbours
from models.neighbours.settings import NeighbourSettings
from models.neighbours.table import Table
from models.taste import TasteSettings

FRESH_DAYS = 90.0  # half-life of a listener's say in what is popular

Progress = Callable[[str, float], None]  # what is being done, the share of it that is done


class Fitted:
    """One fit. Listener u is users[u]; row r is row r of the catalogue; item factors are of its first rows."""

    def __init__(
        self,
        frame: pl.DataFrame,
        pairs: pl.DataFrame,
        users: list[str],
        factors: NDArray[np.float32],
        als: AlsSettings,
        tables: tuple[Table, Table],
    ) -> None:
        self.catalogue = frame
        self.users = users
        self.factors = factors
        self.als = als
        self.followers, self.neighbours = tables
        self._rows: NDArray[np.int64] = pairs["row"].to_numpy()
        self._weights: NDArray[np.float64] = pairs["weight"].to_numpy()
        self._starts = np.searchsorted(pairs["user"].to_numpy(), np.arange(len(users) + 1))

    def of(self, user: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The rows a listener has met, rising, and their weights in plays."""
        span = slice(self._starts[user], self._starts[user + 1])
        return self._rows[span], self._weights[span]


def fit(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    taste: TasteSettings,
    als: AlsSettings,
    near: NeighbourSettings,
    threads: int,
    progress: Progress,
) -> Fitted:
    """Fit on `listens` (as from models.interactions.distinct) and `tracks` (columns of `Track`; track_id distinct)."""
    progress("weigh", 0.0)
    pairs = interactions.weigh(listens, taste)
    progress("weigh", 1.0)
    progress("catalogue", 0.0)
    ranked = popular.rank(pairs, catalogue.describe(listens, tracks), als.min_listeners, FRESH_DAYS)
    catalogue.prove_distinct(ranked["track_id"].to_list())
    users = pairs["user_id"].unique().sort().to_list()
    numbered = _numbered(pairs, users, ranked["track_id"].to_list())
    progress("catalogue", 1.0)
    items = min(int((ranked["listeners"] >= als.min_listeners).sum()), als.max_items)
    progress("als", 0.0)
    trained = numbered.filter(pl.col("row") < items)
    factors, als = fit_als(
        trained["user"].to_numpy(),
        trained["row"].to_numpy(),
        trained["weight"].to_numpy(),
        (len(users), items),
        als,
        threads,
        lambda done: progress("als", done),
    )
    progress("als", 1.0)
    progress("neighbours", 0.0)
    played = min(int((ranked["listeners"] > 0).sum()), als.max_items)
    plays = _plays(listens, taste, users, ranked["track_id"].to_list()[:played])
    tables = (
        fit_neighbours.transitions(plays, played, near, lambda done: progress("neighbours", done / 2)),
        fit_neighbours.neighbours(plays, played, near, lambda done: progress("neighbours", (1 + done) / 2)),
    )
    progress("neighbours", 1.0)
    return Fitted(ranked.select(list(catalogue.COLUMNS)), numbered, users, factors, als, tables)


def _plays(listens: pl.DataFrame, taste: TasteSettings, users: list[str], tracks: list[str]) -> fit_neighbours.Plays:
    """The positive plays of all listeners, in the order of their time."""
    plays = _joined(interactions.positive_plays(listens, taste), users, tracks).sort("user", "second", "row")
    return fit_neighbours.Plays(
        plays["user"].cast(pl.Int32).to_numpy(), plays["row"].cast(pl.Int32).to_numpy(), plays["second"].to_numpy()
    )


def _numbered(pairs: pl.DataFrame, users: list[str], tracks: list[str]) -> pl.DataFrame:
    """(user, row, weight), sorted, so that the same history always gives the same matrix."""
    weighty = pairs.filter(pl.col("weight") != 0)
    return _joined(weighty, users, tracks).select("user", "row", "weight").sort("user", "row")


def _joined(frame: pl.DataFrame, users: list[str], tracks: list[str]) -> pl.DataFrame:
    """The frame with `user` and `row`, numbers for its user_id and track_id."""
    by_user = pl.DataFrame({"user_id": users}, schema={"user_id": pl.String}).with_row_index("user")
    by_track = pl.DataFrame({"track_id": tracks}, schema={"track_id": pl.String}).with_row_index("row")
    joined = frame.join(by_user, on="user_id").join(by_track, on="track_id")
    return joined.with_columns(pl.col("user", "row").cast(pl.Int64))
