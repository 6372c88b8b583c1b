"""What `segue evaluate` reads from the environment, and what it is asked for."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct

from models.als.settings import AlsSettings
from models.evaluation import systems
from models.evaluation.protocol import Protocol
from models.evaluation.settings import Settings
from models.neighbours.settings import NeighbourSettings
from models.ranker.settings import RankerSettings
from models.sources.settings import ListSettings
from models.taste import TasteSettings
from services.runtime.files import Named


class EvaluateSettings(Struct, frozen=True):
    """How listens are folded, models fitted and lists made: the settings of profiler, trainer and scorer."""

    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    list: ListSettings = ListSettings()

    def evaluation(
        self,
        protocol: Protocol,
        baselines: bool,
        also: Sequence[str] = (),
        *,
        leave_out: bool = False,
        numbered: bool = False,
    ) -> Settings:
        """For models.evaluation; lists are as long as each kind of question needs, whatever SEGUE_LIST_LENGTH says.

        Raises BadSources for what cannot be changed so.
        """
        lists = systems.Lists.of(self.list)
        for changes in also:
            systems.also(lists, changes)
        return Settings(
            protocol,
            lists,
            self.taste,
            self.als,
            self.neighbours,
            self.ranker,
            baselines,
            tuple(also),
            leave_out,
            numbered,
        )


class Outputs(Struct, frozen=True):
    """Files to write, each optional."""

    lists: Path | None = None
    html: Path | None = None
    users: pl.DataType | None = None  # the type of the listeners' ids in `lists`; None: text

    @property
    def next_lists(self) -> Path | None:
        """Beside `lists`: lists.parquet, lists.next.parquet."""
        return None if self.lists is None else self.lists.with_suffix(f".next{self.lists.suffix}")

    @property
    def named(self) -> list[Named]:
        """Each file that is written, by its option."""
        return [("--lists", self.lists), ("the lists beside --lists,", self.next_lists), ("--html", self.html)]
