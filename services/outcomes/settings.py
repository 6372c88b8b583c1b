"""The settings of live evaluation (docs/live-evaluation.md, docs/settings.md)."""

from typing import Annotated

from msgspec import Meta, Struct

from models.taste import TasteSettings
from services.runtime.settings import KafkaSettings, LogSettings

Positive = Annotated[int, Meta(ge=1)]


class OutcomesOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What only this service knows."""

    group: str = "segue-outcomes"
    max_listens: Positive = 2_000  # taken at once
    commit_ms: Positive = 500  # offsets are committed at most this often, behind the acknowledged outcomes
    # A listen is judged no sooner after its append: by then every list made before it is on the topic.
    settle_ms: Annotated[int, Meta(ge=0, le=10_000)] = 500
    late_minutes: Annotated[float, Meta(gt=0)] = 60.0  # a listen that came later than this is an import: not judged
    remember: Positive = 100_000  # listeners whose list is remembered, about 1 kB each
    releases: Positive = 8  # newest ones that have counters of their own; a label has no end otherwise
    probe_s: Annotated[float, Meta(gt=0)] = 2.0  # how often an idle service asks the broker whether it is there
    metrics_port: Annotated[int, Meta(ge=0, le=65_535)] = 9104  # 0: any free port
    metrics_host: str = "127.0.0.1"


class OutcomesSettings(Struct, frozen=True):
    """Everything the service reads."""

    kafka: KafkaSettings = KafkaSettings()
    taste: TasteSettings = TasteSettings()
    outcomes: OutcomesOptions = OutcomesOptions()
    log: LogSettings = LogSettings()
