"""What an evaluation can be told."""

from msgspec import Struct

from models.als.settings import AlsSettings
from models.evaluation.protocol import Protocol
from models.evaluation.systems import Lists
from models.neighbours.settings import NeighbourSettings
from models.ranker.settings import RankerSettings
from models.taste import TasteSettings


class Settings(Struct, frozen=True):
    """What is evaluated, and how: everything that decides the figures, and `threads`."""

    protocol: Protocol = Protocol()
    lists: Lists = Lists()
    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    baselines: bool = True  # also each source alone and the baselines
    also: tuple[str, ...] = ()  # the served lists with these settings changed (models.sources.settings.changed), each
    leave_out: bool = False  # also the served lists without each of their sources
    numbered: bool = False  # listeners are whole numbers in the log's file
    seed: int = 42  # of the random baseline
    threads: int = 0  # of a fit; 0: every core
