"""One training, told to its own process and told of by it: JSON lines over its standard input and output."""

from msgspec import Struct

from models.train import TrainSettings
from schemas.release import Span


class Job(Struct, frozen=True):
    """What to train on and where to put it."""

    release_id: str
    now_ms: int
    segments: list[str]
    tracks: str
    root: str
    window: dict[str, Span]
    gaps: dict[str, list[Span]]
    settings: TrainSettings
    nice: int
    days: float = 0.0  # of listens before the newest that are learned from; 0: all
    service: str = ""  # folder of the release in service; empty: there is none
    service_sha256: str = ""  # of its manifest


class Said(Struct, frozen=True, omit_defaults=True):
    """How far it is, or something worth a line in the log; `folder` when it is done, `error` when it has failed."""

    step: str = ""
    done: float = 0.0
    told: str = ""
    folder: str = ""
    error: str = ""
