"""The networks that hear (torch): a log-mel spectrogram of any length in, what it is and a 256-d vector out."""

import torch
from torch import Tensor, nn

from models.audio.settings import WIDTH, MelSettings, NetworkSettings
from models.audio.texture import Texture


class Ear(nn.Module):
    """What both shapes share. Both know the mean and spread of each band of what they were taught with."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(bands, 1))
        self.register_buffer("scale", torch.ones(bands, 1))

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, classes) and vectors (batch, WIDTH) of log-mels (batch, bands, frames)."""
        raise NotImplementedError


class Moments(nn.Module):
    """(batch, channels, 1, frames) -> (batch, 3·channels): mean, spread and maximum over time."""

    def forward(self, heard: Tensor) -> Tensor:
        """Of any number of frames."""
        heard = heard.squeeze(2)
        mean = heard.mean(dim=2)
        spread = ((heard - mean[:, :, None]).square().mean(dim=2) + 1e-5).sqrt()
        return torch.cat((mean, spread, heard.amax(dim=2)), dim=1)


class Tower(Ear):
    """The default: what four convolutions learn to hear, beside the fixed statistics of `Texture`.

    (1, 64, t) → (16, 32, t/2) → (32, 16, t/4) → (64, 8, t/8) → (128, 1, t/8) → 384 ─┐
    Texture → 796 ───────────────────────────────────────────────────────────────────┴─→ 1,180 → 256 → classes
    """

    def __init__(self, heard: MelSettings, classes: int, dropout: float) -> None:
        super().__init__(heard.bands)
        self.texture = Texture(heard)
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
            nn.Hardtanh(-4.0, 4.0),  # what lies far off says no more than what lies off
            nn.Dropout(dropout / 2),
            nn.Linear(self.texture.width + 384, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, classes))

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        even = (mels - self.mean) / self.scale
        vectors = self.embed(torch.cat((self.texture(mels), self.learned(even[:, None])), dim=1))
        return self.decide(vectors), vectors


class Original(Ear):
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

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """See Ear."""
        heard = self.learned(((mels - self.mean) / self.scale)[:, None])
        vectors = self.embed(heard.mean(dim=3).flatten(1))
        return self.decide(vectors), vectors


def network(heard: MelSettings, classes: int, settings: NetworkSettings) -> Ear:
    """The network that the settings name, untaught."""
    shape = Original if settings.original else Tower
    return shape(heard, classes, settings.dropout)


def parameters(made: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(each.numel() for each in made.parameters())


def _convolved(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    ]
