"""All there is of a simulated crowd, gathered for those who need most of it."""

from dataclasses import dataclass

from services.simulator.catalogue import Catalogue
from services.simulator.charts import Charts
from services.simulator.habits import Habits
from services.simulator.memory import Memory
from services.simulator.settings import CrowdSettings
from services.simulator.tastes import Tastes


@dataclass
class World:
    """The crowd's state between two sessions."""

    settings: CrowdSettings
    catalogue: Catalogue
    habits: Habits
    tastes: Tastes
    memory: Memory
    charts: Charts  # of the day
