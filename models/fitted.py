"""Everything that one fit makes of a history: the catalogue, who weighs what, and the item factors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models import catalogue, interactions, popular
from models.als.fit import fit as fit_als
from models.als.settings import AlsSettings
from models.als.warm import Start, start
from models.neighbours import artists
from models.neighbours import fit as fit_neighbours
from models.neighbours.settings import NeighbourSettings
from models.neighbours.table import Table
from models.release import Release
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
        tables: tuple[Table, Table, Table],
        start: Start | None = None,
    ) -> None:
        self.catalogue = frame
        self.users = users
        self.factors = factors
        self.als = als
        self.start = start  # what the factors were begun with; None: nothing
        self.followers, self.neighbours, self.beside = tables
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
    before: Release | None = None,
) -> Fitted:
    """Fit on `listens` (as from models.interactions.distinct) and `tracks` (columns of `Track`; track_id distinct).

    `before`: an earlier release, whose factors are begun with. Not when what is fitted will be judged on listens that
    the earlier release had seen.
    """
    weighed = weigh(listens, tracks, taste, als, progress)
    ranked, users, items = weighed.ranked, weighed.users, weighed.items
    begun = start(before, ranked["track_id"].to_list()[:items], als)
    factors, als = weighed.factors(als, threads, progress, begun)
    progress("neighbours", 0.0)
    played = min(int((ranked["listeners"] > 0).sum()), als.max_items)
    plays = _plays(listens, taste, users, ranked["track_id"].to_list()[:played])
    tables = (
        fit_neighbours.transitions(plays, played, near, lambda done: progress("neighbours", done / 2)),
        fit_neighbours.neighbours(plays, played, near, lambda done: progress("neighbours", (1 + done) / 2)),
    )
    known = ranked.select(*catalogue.COLUMNS, *catalogue.OPTIONAL)
    beside = artists.beside(plays, artists.heads(catalogue.keys_of(known[:played])[1]), near)
    progress("neighbours", 1.0)
    return Fitted(known, weighed.pairs, users, factors, als, (*tables, beside), begun)


class Weighed(NamedTuple):
    """A history made ready for ALS. Listener u is users[u]; row r is row r of `ranked`, which has more columns."""

    ranked: pl.DataFrame
    pairs: pl.DataFrame  # (user, row, weight), sorted
    users: list[str]
    items: int  # the first rows, which get factors

    def factors(
        self, als: AlsSettings, threads: int, progress: Progress, begun: Start | None = None
    ) -> tuple[NDArray[np.float32], AlsSettings]:
        """Item factors, and the settings in force; see models.als.fit. Raises FitFailed."""
        progress("als", 0.0)
        trained = self.pairs.filter(pl.col("row") < self.items)
        made = fit_als(
            trained["user"].to_numpy(),
            trained["row"].to_numpy(),
            trained["weight"].to_numpy(),
            (len(self.users), self.items),
            als,
            threads,
            lambda done: progress("als", done),
            begun,
        )
        progress("als", 1.0)
        return made


def weigh(
    listens: pl.DataFrame, tracks: pl.DataFrame, taste: TasteSettings, als: AlsSettings, progress: Progress
) -> Weighed:
    """Who likes what, and the catalogue in its order. Raises DuplicateKey."""
    progress("weigh", 0.0)
    pairs = interactions.weigh(listens, taste)
    progress("weigh", 1.0)
    progress("catalogue", 0.0)
    ranked = popular.rank(pairs, catalogue.describe(listens, tracks), als.min_listeners, FRESH_DAYS)
    catalogue.prove_distinct(ranked["track_id"].to_list())
    users = pairs["user_id"].unique().sort().to_list()
    numbered = _numbered(pairs, users, ranked["track_id"].to_list())
    items = min(int((ranked["listeners"] >= als.min_listeners).sum()), als.max_items)
    progress("catalogue", 1.0)
    return Weighed(ranked, numbered, users, items)


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
