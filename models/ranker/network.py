"""The neural ranker: a few small networks on the features of each candidate, whose mean is the score.

features ─► standardised ─┬─► linear ──────────────────────────────────┐
                          └─► H ─► ReLU ─► H ─► ReLU ─► 1 ──────────── + ─► mean over the members ─► score
                              (each member its own; dropout while learning)

It is inductive: what it knows of a listener are the listener's own features (models.ranker.features; among them the
fold-in vector's product with the track's), so a new listener needs no training (as NCF, He et al. 2017, does). Several
small members that differ in how they began agree on more than one large one would learn from few listeners.
"""

import torch
from torch import Tensor, nn


class RankerNetwork(nn.Module):
    """Scores candidates, each by itself."""

    def __init__(self, mean: Tensor, deviation: Tensor, members: int, hidden: int, dropout: float) -> None:
        """`mean` and `deviation` of the features, (features,)."""
        super().__init__()
        width = len(mean)
        self.mean, self.deviation = nn.Buffer(mean), nn.Buffer(deviation)
        self.linear = nn.Parameter(torch.zeros(width, 1))
        self.first, self.first_bias = _layer(members, width, hidden)
        self.second, self.second_bias = _layer(members, hidden, hidden)
        self.last, self.last_bias = _layer(members, hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """Scores (n,) of features (n, features)."""
        x = (features - self.mean) / self.deviation
        h = self.dropout(torch.relu(x @ self.first + self.first_bias))  # (members, n, hidden)
        h = torch.relu(h @ self.second + self.second_bias)
        apart = h @ self.last + self.last_bias  # (members, n, 1)
        scores: Tensor = (apart.mean(dim=0) + x @ self.linear).squeeze(-1)
        return scores


def _layer(members: int, inside: int, outside: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights and biases, spread as torch's own linear layer has them."""
    bound = inside**-0.5
    weights = torch.empty(members, inside, outside).uniform_(-bound, bound)
    return nn.Parameter(weights), nn.Parameter(torch.empty(members, 1, outside).uniform_(-bound, bound))
