"""What commands that talk to the running stream read from the environment."""

import os

from msgspec import Struct

from models.sources.settings import ListSettings
from services.runtime.settings import KafkaSettings, RedisSettings, load


class ClientSettings(Struct, frozen=True):
    """Where the broker and Redis are."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()


def client_settings() -> ClientSettings:
    """Read them. Raises BadSetting."""
    return load(ClientSettings, os.environ)


class ListOnly(Struct, frozen=True):
    """How lists are made, for a command that makes one."""

    list: ListSettings = ListSettings()
