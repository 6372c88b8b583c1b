"""The trainer's settings (docs/training.md, docs/settings.md)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from models.als import spark
from models.als.settings import AlsSettings
from models.audio.settings import AudioSettings
from models.bridge.settings import BridgeSettings
from models.excluded import ExcludeFile
from models.lyrics.settings import LyricsSettings
from models.neighbours.settings import NeighbourSettings
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings
from models.sources.settings import ListSettings
from models.taste import TasteSettings
from models.train import TrainSettings
from services.runtime.settings import KafkaSettings, LogSettings, load

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class TrainerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the trainer knows."""

    settings: str = ""  # file that goes over SEGUE_CONFIG, as `segue tune` writes it
    history: str = ".segue/history"  # folder of the Parquet history and the tracks
    releases: str = ".segue/releases"  # folder that releases are published in
    every_listens: Count = 50_000  # train when so many listens are new …
    every_seconds: Seconds = 86_400.0  # … or when the newest release is so old and anything is new
    min_listens: Count = 1  # a history smaller than this is not trained on
    learn_days: Annotated[float, Meta(ge=0)] = 0.0  # learn from so many days before the newest listen; 0: from all
    flush_listens: Count = 200_000  # write a segment when so many listens wait …
    flush_seconds: Seconds = 10.0  # … or when the oldest has waited so long
    merge_segments: Annotated[int, Meta(ge=2)] = 16  # so many small neighbours become one
    keep_releases: Annotated[int, Meta(ge=2)] = 5  # a scorer may be loading the one before the newest
    threads: Annotated[int, Meta(ge=0)] = 0  # of a training; 0: every core
    nice: Annotated[int, Meta(ge=0, le=19)] = 10  # a training gives way to live work
    check_days: Annotated[float, Meta(gt=0)] = 7.0  # the last days are held out to measure a release …
    check_share: Annotated[float, Meta(gt=0, lt=1)] = 0.05  # … but never more than this share of the listens
    check_listeners: Annotated[int, Meta(ge=0)] = 500  # measured on so many at most; 0: not at all
    check_guesses: Annotated[int, Meta(ge=0)] = 500  # … and on so many of their plays at most, to be guessed; 0: none
    check_least: Annotated[int, Meta(ge=1)] = 20  # judged listeners; with fewer a release only must not be worse
    check_tolerance: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of NDCG@100 that a release may be below the last
    metrics_port: int = 9102  # 0: any free port
    metrics_host: str = "127.0.0.1"


def trainer_settings(environ: Mapping[str, str]) -> "TrainerSettings":
    """Read them, with the file that SEGUE_TRAINER_SETTINGS names. Raises BadSetting."""
    named = load(TrainerSettings, environ).trainer.settings
    return load(TrainerSettings, environ, Path(named)) if named else load(TrainerSettings, environ)


class TrainerSettings(Struct, frozen=True):
    """Everything the trainer reads."""

    kafka: KafkaSettings = KafkaSettings()
    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    list: ListSettings = ListSettings()
    lyrics: LyricsSettings = LyricsSettings()
    audio: AudioSettings = AudioSettings()
    bridge: BridgeSettings = BridgeSettings()
    trainer: TrainerOptions = TrainerOptions()
    log: LogSettings = LogSettings()

    def prove(self) -> None:
        """At the start, not at the first training: raise BadSources, BadExclude, NoSpark for what would end one."""
        self.list.quotas()
        self.list.more()
        ExcludeFile(self.list.exclude)
        if self.als.engine == "spark":
            spark.prove()

    def train(self) -> TrainSettings:
        """What decides a release, for models.train."""
        options = self.trainer
        check = CheckSettings(
            options.check_days,
            options.check_share,
            options.check_listeners,
            options.check_guesses,
            options.check_least,
            options.check_tolerance,
        )
        lyrics = replace(self.lyrics, threads=self.lyrics.threads or options.threads)
        return TrainSettings(
            self.taste,
            self.als,
            self.neighbours,
            self.ranker,
            lyrics,
            check,
            self.list,
            self.audio,
            self.bridge,
            threads=options.threads,
        )
