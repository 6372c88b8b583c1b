"""The networks that hear (torch): a log-mel spectrogram of any length in, what it is and a 256-d vector out."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.audio.dictionary import Dictionary
from models.audio.segments import AnyMel
from models.audio.settings import WIDTH, MelSettings, NetworkSettings
from models.audio.texture import Texture

WORDS = 384  # of each dictionary


class Ear(nn.Module):
    """What both shapes share: a part that is taught no labels, `seen`, and one that is, `told`."""

    width: int  # of what `seen` gives a recording; 0: it has no fixed number

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:
        """Make ready what needs recordings and no labels."""
        raise NotImplementedError

    def seen(self, mels: Tensor) -> Tensor:
        """What labels are learned by, of log-mels (batch, bands, frames)."""
        raise NotImplementedError

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, classes) and vectors (batch, WIDTH)."""
        raise NotImplementedError

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and vectors of log-mels."""
        return self.told(self.seen(mels))


class Tower(Ear):
    """The default: two dictionaries and the fixed statistics of `Texture`, then what labels teach.

    words of 0.2 s → 2·384 ─┐
    words of 0.4 s → 2·384 ─┼─→ 2,692 → 256 → classes
    Texture → 1,156 ────────┘
    """

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            (
                Texture(heard),
                Dictionary(heard.bands, heard.frames(0.2), WORDS, 0.4),
                Dictionary(heard.bands, heard.frames(0.4), WORDS, 0.25),
            )
        )
        self.width = sum(part.width for part in self.parts)
        self.embed = nn.Sequential(
            nn.BatchNorm1d(self.width),
            nn.Hardtanh(-4.0, 4.0),  # what lies far off says no more than what lies off
            nn.Dropout(dropout / 2),
            nn.Linear(self.width, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, classes))

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:
        """See Ear."""
        for part in self.parts:
            if isinstance(part, Dictionary):
                part.learn(mels, rng)

    def seen(self, mels: Tensor) -> Tensor:
        """(batch, width)."""
        return torch.cat([part(mels) for part in self.parts], dim=1)

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        vectors = self.embed(seen)
        return self.decide(vectors), vectors


class Original(Ear):
    """The original work's shape: four convolutions, each with max-pooling, then three linear layers."""

    width = 0

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__()
        rows = -(-heard.bands // 16)
        self.register_buffer("mean", torch.zeros(heard.bands, 1))
        self.register_buffer("scale", torch.ones(heard.bands, 1))
        blocks: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64), (64, 64)):
            blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        self.learned = nn.Sequential(*blocks)
        self.embed = nn.Sequential(
            nn.Linear(64 * rows, 512), nn.ReLU(), nn.Dropout(dropout), nn.Linear(512, WIDTH), nn.ReLU()
        )
        self.decide = nn.Linear(WIDTH, classes)

    def learn(self, mels: Sequence[AnyMel], rng: np.random.Generator) -> None:  # noqa: ARG002  # as Ear's
        """The mean and spread of each band."""
        thinned = np.concatenate([mel[:, :: max(1, mel.shape[1] // 64)] for mel in mels], axis=1).astype(np.float32)
        self.mean.copy_(torch.from_numpy(thinned.mean(axis=1, keepdims=True)))
        self.scale.copy_(torch.from_numpy(thinned.std(axis=1, keepdims=True) + 1e-3))

    def seen(self, mels: Tensor) -> Tensor:
        """(batch, bands, frames)."""
        return (mels - self.mean) / self.scale

    def told(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        vectors = self.embed(self.learned(seen[:, None]).mean(dim=3).flatten(1))
        return self.decide(vectors), vectors


def network(heard: MelSettings, classes: int, settings: NetworkSettings) -> Ear:
    """The network that the settings name, untaught."""
    shape = Original if settings.original else Tower
    return shape(heard, classes, settings.dropout)


def parameters(made: nn.Module) -> int:
    """How many numbers it learns, with labels or without."""
    words = (part for part in made.modules() if isinstance(part, Dictionary))
    taught = sum(int(each.numel()) for each in made.parameters())
    return taught + sum(int(each.numel()) for part in words for each in part.buffers())
