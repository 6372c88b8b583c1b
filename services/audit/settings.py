"""What an audit reads from the environment, and what it is asked for."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from models.taste import TasteSettings
from services.runtime.settings import KafkaSettings, RedisSettings


class AuditSettings(Struct, frozen=True):
    """Where the log and the profiles are, and how a listen is folded: the profiler's own SEGUE_TASTE_*."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    taste: TasteSettings = TasteSettings()


class AuditOptions(Struct, frozen=True):
    """What to look at, and how patiently."""

    ends: Mapping[int, int] = field(default_factory=dict)  # partition -> stop before this offset; else the end as found
    lists: bool = True
    letters: bool = True
    history: Path | None = None  # the trainer's folder
    wait_s: float = 0.0  # wait so long for the profiler to catch up with the log before looking
    grace_s: float = 5.0  # a list may come so much later than its profile
    examples: int = 5  # of each kind of trouble
    show_ids: bool = False  # name listeners; else only partition and offset
