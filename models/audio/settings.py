"""What is heard of a recording, and what the networks that hear it are fitted with."""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]

RATE = 22_050  # Hz; everything is brought to it
SEGMENTS = 3  # of a track: its embedding is theirs, one after the other
Task = Literal["genre", "emotion", "instrument"]
TASKS: tuple[str, ...] = get_args(Task)  # a network each
WIDTH = 256  # of a network's last layer but one
VECTOR = SEGMENTS * len(TASKS) * WIDTH  # 2,304


class MelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Log-mel spectrograms. The original work's are `ORIGINAL_MELS`."""

    window_ms: Annotated[float, Meta(gt=0)] = 46.44  # 1,024 samples
    hop_ms: Annotated[float, Meta(gt=0)] = 23.22
    bands: Positive = 64
    low_hz: Annotated[float, Meta(ge=0)] = 30.0
    high_hz: Annotated[float, Meta(gt=0, le=RATE / 2)] = 11_025.0
    semitones: Annotated[int, Meta(ge=0, le=66)] = 66  # rows beneath the bands (models.audio.semitones); 0: none

    @property
    def rows(self) -> int:
        """Of what is kept of a recording: bands, then semitones."""
        return self.bands + self.semitones

    @property
    def window(self) -> int:
        """Samples."""
        return round(self.window_ms * RATE / 1000)

    @property
    def hop(self) -> int:
        """Samples."""
        return round(self.hop_ms * RATE / 1000)

    def frames(self, seconds: float) -> int:
        """So many frames are so long."""
        return max(1, round(seconds * 1000 / self.hop_ms))


ORIGINAL_MELS = MelSettings(window_ms=50.0, hop_ms=50.0, semitones=0)


class NetworkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a classifier is fitted. The defaults are what music is best told by; `taught` has those of each task."""

    shape: Literal["words", "tower", "original"] = "words"  # models.audio.network
    crops: Positive = 40_000  # learned from in all: so many epochs over few recordings, few over many …
    epochs: Positive = 30  # … but never more than these
    views: Positive = 6  # crops of a recording, at most: `words` looks at each only once
    batch: Positive = 32
    rate: Annotated[float, Meta(gt=0)] = 0.002  # the highest of one cycle
    decay: Annotated[float, Meta(ge=0)] = 0.02
    crop_seconds: Annotated[float, Meta(gt=0)] = 10.0  # at most; of short recordings their median length
    mixup: Annotated[float, Meta(ge=0)] = 0.3  # of Beta(a, a); 0: none
    masks: Annotated[int, Meta(ge=0)] = 0  # SpecAugment: bands and times that are blanked, so many each
    louder: Annotated[float, Meta(ge=0)] = 0.0  # ± of log10 power by chance
    shift: Annotated[int, Meta(ge=0)] = 0  # ± bands by chance, each about a semitone
    dropout: Share = 0.6
    smoothing: Share = 0.05  # of hard labels
    seed: Annotated[int, Meta(ge=0)] = 42


# What measured better (docs/audio.md): notes are told apart by learned convolutions, at any level and pitch.
NOTES = NetworkSettings(shape="tower", epochs=120, crop_seconds=6.0, louder=0.3, shift=3, dropout=0.4)
ORIGINAL = NetworkSettings(shape="original", epochs=120, crop_seconds=6.0, mixup=0.0, dropout=0.4)


def taught(task: str, crops: int, seed: int) -> NetworkSettings:
    """How the network of a task is fitted."""
    return replace(NOTES if task == "instrument" else NetworkSettings(), crops=crops, seed=seed)


class AudioSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a release knows of the sound of its tracks (docs/audio.md)."""

    on: bool = True  # false: audio URIs are not looked at
    cache: str = ".segue/audio"  # folder of log-mels and taught networks; empty: nothing is kept
    networks: str = ""  # folder of ready networks (`segue audio train`); empty: taught by the labels of the tracks
    crops: Positive = 40_000  # that a network is taught with
    exact_items: Annotated[int, Meta(ge=0)] = 20_000  # above so many tracks the index is compressed
    min_recall: Share = 0.95  # of the true five, that a compressed index must find
    seed: Annotated[int, Meta(ge=0)] = 42
