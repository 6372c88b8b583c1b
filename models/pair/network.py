"""The pair network (torch): two recordings through one tower, then what they have in common.

picture 1, vector 1 ─ tower ─ h1 ──┐
                              h1·h2 ├─ 3·64 ─► 64 ─► 1: do they sound alike
picture 2, vector 2 ─ tower ─ h2 ──┘

A picture is a spectrogram of the first minute, a vector what the three networks of the release make of the recording:
pictures of a few hundred recordings alone teach less than these networks know already (docs/audio.md).
"""

import torch
from torch import Tensor, nn

from models.audio.settings import VECTOR
from models.pair.settings import WIDTH


class Tower(nn.Module):
    """(batch, 40, 120) → (16, 20, 60) → (32, 10, 30) → (64, 5, 15) → mean and maximum over time ─┐
    (batch, VECTOR) ──────────────────────────────────────────────────────────────────────────────┴─→ (batch, WIDTH).
    """

    def __init__(self, dropout: float, unseen: float) -> None:
        """`unseen`: the share of a vector's numbers that is hidden while it is taught."""
        super().__init__()
        self.even = nn.BatchNorm1d(40)  # each band
        self.learned = nn.Sequential(*_convolved(1, 16), *_convolved(16, 32), *_convolved(32, 64), nn.Flatten(1, 2))
        self.hidden = nn.Dropout(dropout)
        self.known = nn.Sequential(nn.BatchNorm1d(VECTOR), nn.Hardtanh(-4.0, 4.0), nn.Dropout(unseen))
        self.embed = nn.Sequential(nn.Linear(2 * 64 * 5 + VECTOR, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU())

    def forward(self, pictures: Tensor, vectors: Tensor) -> Tensor:
        """See the class."""
        seen = self.learned(self.even(pictures)[:, None])  # (batch, 64·5, 15)
        moments = self.hidden(torch.cat((seen.mean(dim=2), seen.amax(dim=2)), dim=1))
        made: Tensor = self.embed(torch.cat((moments, self.known(vectors)), dim=1))
        return made


class Head(nn.Module):
    """(batch, WIDTH) twice → logits (batch); the same whichever comes first."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.decide = nn.Sequential(nn.Linear(3 * WIDTH, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """See the class."""
        both = first * second
        one = self.decide(torch.cat((first, second, both), dim=1))
        other = self.decide(torch.cat((second, first, both), dim=1))
        return ((one + other) / 2).squeeze(1)


def _convolved(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, 2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
