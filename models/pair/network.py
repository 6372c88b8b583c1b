"""The pair network (torch): two pictures through one tower, then what they have in common.

picture 1 ─ tower ─ h1 ──┐
                    h1·h2 ├─ 3·64 ─► 64 ─► 1: do they sound alike
picture 2 ─ tower ─ h2 ──┘
"""

import torch
from torch import Tensor, nn

from models.pair.settings import WIDTH


class Tower(nn.Module):
    """(batch, 40, 120) → (16, 20, 60) → (32, 10, 30) → (64, 5, 15) → mean and maximum over time → (batch, WIDTH)."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.even = nn.BatchNorm1d(40)  # each band
        self.learned = nn.Sequential(*_convolved(1, 16), *_convolved(16, 32), *_convolved(32, 64))
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * 64 * 5, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU())

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        heard = self.learned(self.even(pictures)[:, None]).flatten(1, 2)  # (batch, 64·5, 15)
        made: Tensor = self.embed(torch.cat((heard.mean(dim=2), heard.amax(dim=2)), dim=1))
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
