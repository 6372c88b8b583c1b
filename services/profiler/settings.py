"""The profiler's settings (docs/settings.md)."""

from typing import Literal

from msgspec import Struct

from models.taste import TasteSettings
from services.runtime.settings import KafkaSettings, LogSettings, RedisSettings


class ProfilerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the profiler knows."""

    loop: Literal["faust", "bulk"] = "faust"
    group: str = "segue-profiler"
    max_batch: int = 2_000  # listens folded and committed at once by the live loop
    max_bulk_batch: int = 20_000  # the same for the bulk loop, a partition; of at most 5,000 listeners
    cache_profiles: int = 2_000  # decoded profiles kept between batches
    metrics_port: int = 9101  # 0: any free port
    metrics_host: str = "127.0.0.1"
    stop_when_idle_s: float = 0.0  # bulk loop: end after this long without a listen; 0: never


class ProfilerSettings(Struct, frozen=True):
    """Everything the profiler reads."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    taste: TasteSettings = TasteSettings()
    profiler: ProfilerOptions = ProfilerOptions()
    log: LogSettings = LogSettings()
