"""The networks that hear (torch): a log-mel of any length, semitones beneath it, to what it is and a 256-d vector."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.audio.dictionary import Dictionary
from models.audio.harmony import Harmony
from models.audio.segments import AnyMel
from models.audio.settings import WIDTH, MelSettings, NetworkSettings
from models.audio.texture import Texture

WORDS = 256  # of a dictionary
UNSEEN = 0.5  # of the numbers that `Words` sees are hidden while it is taught: no few of them may decide


class Ear(nn.Module):
    """What all shapes share: a part that is taught no labels, `seen`, and one that is, `told`."""

    width: int  # of what `seen` gives a recording; 0: it has no fixed number

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:
        """Make ready what needs recordings and no labels."""
        raise NotImplementedError

    def seen(self, mels: Tensor) -> Tensor:
        """What labels are learned by, of (batch, rows, frames)."""
        raise NotImplementedError

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, classes) and vectors (batch, WIDTH)."""
        raise NotImplementedError

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and vectors of (batch, rows, frames)."""
        return self.told(self.seen(mels))


class Words(Ear):
    """For music: two dictionaries and fixed statistics of sound and pitch, then what labels teach.

    words of 0.2 s → 2·256 ─┐
    words of 0.4 s → 2·256 ─┤
    Texture → 1,156 ────────┼─→ 2,436 → 256 → classes
    Harmony → 256 ──────────┘
    """

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__()
        self.bands = heard.bands
        sound = (
            Texture(heard, fine=True),
            Dictionary(heard.bands, heard.frames(0.2), WORDS, 0.4),
            Dictionary(heard.bands, heard.frames(0.4), WORDS, 0.25),
        )
        self.sound = nn.ModuleList(sound)
        self.pitch = nn.ModuleList((Harmony(heard.semitones),) if heard.semitones > 1 else ())
        self.width = sum(part.width for part in (*self.sound, *self.pitch))
        self.embed = nn.Sequential(
            nn.BatchNorm1d(self.width),
            nn.Hardtanh(-4.0, 4.0),  # what lies far off says no more than what lies off
            nn.Dropout(UNSEEN),
            nn.Linear(self.width, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, classes))

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:
        """See Ear."""
        for part in self.sound:
            if isinstance(part, Dictionary):
                part.learn([mel[: self.bands] for mel in mels], rng)

    def seen(self, mels: Tensor) -> Tensor:
        """(batch, width)."""
        sound, pitch = mels[:, : self.bands], mels[:, self.bands :]
        return torch.cat([*(part(sound) for part in self.sound), *(part(pitch) for part in self.pitch)], dim=1)

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        vectors = self.embed(seen)
        return self.decide(vectors), vectors


class Banded(Ear):
    """What learns from the bands themselves, each less its mean and over its spread in what is taught with."""

    width = 0

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("mean", torch.zeros(bands, 1))
        self.register_buffer("scale", torch.ones(bands, 1))

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:  # noqa: ARG002  # as Ear's
        """The mean and spread of each band."""
        thinned = [mel[: self.bands, :: max(1, mel.shape[1] // 64)] for mel in mels]
        bands = np.concatenate(thinned, axis=1).astype(np.float32)
        self.mean.copy_(torch.from_numpy(bands.mean(axis=1, keepdims=True)))
        self.scale.copy_(torch.from_numpy(bands.std(axis=1, keepdims=True) + 1e-3))

    def seen(self, mels: Tensor) -> Tensor:
        """(batch, bands, frames)."""
        return mels[:, : self.bands]


class Moments(nn.Module):
    """(batch, channels, 1, frames) -> (batch, 3·channels): mean, spread and maximum over time."""

    def forward(self, heard: Tensor) -> Tensor:
        """Of any number of frames."""
        heard = heard.squeeze(2)
        mean = heard.mean(dim=2)
        spread = ((heard - mean[:, :, None]).square().mean(dim=2) + 1e-5).sqrt()
        return torch.cat((mean, spread, heard.amax(dim=2)), dim=1)


class Tower(Banded):
    """For notes: what four convolutions learn to hear, beside the fixed statistics of `Texture`.

    (1, 64, t) → (16, 32, t/2) → (32, 16, t/4) → (64, 8, t/8) → (128, 1, t/8) → 384 ─┐
    Texture → 796 ───────────────────────────────────────────────────────────────────┴─→ 1,180 → 256 → classes
    """

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__(heard.bands)
        self.texture = Texture(heard, fine=False)
        rows = -(-heard.bands // 8)
        self.learned = nn.Sequential(
            *_convolved(1, 16, 5, 2),
            *_convolved(16, 32, 3, 2),
            *_convolved(32, 64, 3, 2),
            nn.Conv2d(64, 128, (rows, 1), bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            Moments(),
        )
        self.embed = nn.Sequential(
            nn.BatchNorm1d(self.texture.width + 384),
            nn.Hardtanh(-4.0, 4.0),  # as of Words
            nn.Dropout(dropout / 2),
            nn.Linear(self.texture.width + 384, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, classes))

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        even = (seen - self.mean) / self.scale
        vectors = self.embed(torch.cat((self.texture(seen), self.learned(even[:, None])), dim=1))
        return self.decide(vectors), vectors


class Original(Banded):
    """The original work's shape: four convolutions, each with max-pooling, then three linear layers."""

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__(heard.bands)
        rows = -(-heard.bands // 16)
        blocks: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64), (64, 64)):
            blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        self.learned = nn.Sequential(*blocks)
        self.embed = nn.Sequential(
            nn.Linear(64 * rows, 512), nn.ReLU(), nn.Dropout(dropout), nn.Linear(512, WIDTH), nn.ReLU()
        )
        self.decide = nn.Linear(WIDTH, classes)

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        heard = self.learned(((seen - self.mean) / self.scale)[:, None])
        vectors = self.embed(heard.mean(dim=3).flatten(1))
        return self.decide(vectors), vectors


SHAPES: dict[str, type[Words] | type[Tower] | type[Original]] = {"words": Words, "tower": Tower, "original": Original}


def network(heard: MelSettings, classes: int, settings: NetworkSettings) -> Ear:
    """The network that the settings name, untaught."""
    return SHAPES[settings.shape](heard, classes, settings.dropout)


def parameters(made: nn.Module) -> int:
    """How many numbers it learns, with labels or without."""
    words = (part for part in made.modules() if isinstance(part, Dictionary))
    taught = sum(int(each.numel()) for each in made.parameters())
    return taught + sum(int(each.numel()) for part in words for each in part.buffers())


def _convolved(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    ]
