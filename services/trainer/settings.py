"""The trainer's settings (docs/training.md, docs/settings.md)."""

from typing import Annotated

from msgspec import Meta, Struct

from models.als.settings import AlsSettings
from models.audio.settings import AudioSettings
from models.neighbours.settings import NeighbourSettings
from models.ranker.settings import RankerSettings
from models.taste import TasteSettings
from models.train import CheckSettings, TrainSettings
from services.runtime.settings import KafkaSettings, LogSettings

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class TrainerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the trainer knows."""

    history: str = ".segue/history"  # folder of the Parquet history and the tracks
    releases: str = ".segue/releases"  # folder that releases are published in
    every_listens: Count = 50_000  # train when so many listens are new …
    every_seconds: Seconds = 86_400.0  # … or when the newest release is so old and anything is new
    min_listens: Count = 1  # a history smaller than this is not trained on
    flush_listens: Count = 200_000  # write a segment when so many listens wait …
    flush_seconds: Seconds = 10.0  # … or when the oldest has waited so long
    merge_segments: Annotated[int, Meta(ge=2)] = 16  # so many small neighbours become one
    keep_releases: Annotated[int, Meta(ge=2)] = 5  # a scorer may be loading the one before the newest
    threads: Annotated[int, Meta(ge=0)] = 0  # of a training; 0: every core
    nice: Annotated[int, Meta(ge=0, le=19)] = 10  # a training gives way to live work
    check_days: Annotated[float, Meta(gt=0)] = 7.0  # the last days are held out to measure a release …
    check_share: Annotated[float, Meta(gt=0, lt=1)] = 0.05  # … but never more than this share of the listens
    check_listeners: Annotated[int, Meta(ge=0)] = 500  # measured on so many at most; 0: not at all
    metrics_port: int = 9102  # 0: any free port
    metrics_host: str = "127.0.0.1"


class TrainerSettings(Struct, frozen=True):
    """Everything the trainer reads."""

    kafka: KafkaSettings = KafkaSettings()
    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    audio: AudioSettings = AudioSettings()
    trainer: TrainerOptions = TrainerOptions()
    log: LogSettings = LogSettings()

    def train(self) -> TrainSettings:
        """What decides a release, for models.train."""
        options = self.trainer
        check = CheckSettings(days=options.check_days, share=options.check_share, listeners=options.check_listeners)
        return TrainSettings(
            self.taste, self.als, self.neighbours, self.ranker, check, self.audio, threads=options.threads
        )
