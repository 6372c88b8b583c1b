"""What commands that talk to the running stream read from the environment."""

import os

from msgspec import Struct

from models.sources.settings import ListSettings, changed
from services.runtime.settings import KafkaSettings, RedisSettings, load


class ClientSettings(Struct, frozen=True):
    """Where the broker and Redis are."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()


def client_settings() -> ClientSettings:
    """Read them. Raises BadSetting."""
    return load(ClientSettings, os.environ)


def first_mixes() -> dict[str, str]:
    """Variant -> mix of its first list, by the settings here: no message says it. Raises BadSetting, BadSources."""
    from services.scorer.settings import ScorerSettings
    from services.scorer.split import A, B

    settings = load(ScorerSettings, os.environ)
    return {A: settings.list.mix, B: changed(settings.list, settings.scorer.b_list).mix}


class ListOnly(Struct, frozen=True):
    """How lists are made, for a command that makes one."""

    list: ListSettings = ListSettings()
