"""NeuMF, the network (He et al., "Neural Collaborative Filtering", 2017): a product and a tower, joined at the end.

listener ─┬─ vector f  ──┐
          │              × ── f ───────────────┐
item ─────┼─ vector f  ──┘                     ├── 2f ─► 1: how likely the listener has the item
          ├─ vector 2f ──┐                     │
          └─ vector 2f ──┴─ 4f ─► 2f ─► f ─────┘
"""

import torch
from torch import Tensor, nn

SPREAD = 0.01  # of the first vectors: the paper's


class NeuMF(nn.Module):
    """Scores pairs of listener and item; `factors` is f."""

    def __init__(self, listeners: int, items: int, factors: int) -> None:
        super().__init__()
        self.product_listeners = nn.Embedding(listeners, factors)
        self.product_items = nn.Embedding(items, factors)
        self.tower_listeners = nn.Embedding(listeners, 2 * factors)
        self.tower_items = nn.Embedding(items, 2 * factors)
        self.first = nn.Linear(4 * factors, 2 * factors)
        self.second = nn.Linear(2 * factors, factors)
        self.last = nn.Linear(2 * factors, 1)
        for vectors in self.vectors():
            nn.init.normal_(vectors.weight, std=SPREAD)

    def vectors(self) -> list[nn.Embedding]:
        """All four tables of vectors."""
        return [self.product_listeners, self.product_items, self.tower_listeners, self.tower_items]

    def forward(self, listeners: Tensor, items: Tensor) -> Tensor:
        """Logits (pairs) of two parallel columns (pairs)."""
        product = self.product_listeners(listeners) * self.product_items(items)  # (pairs, f)
        both = torch.cat((self.tower_listeners(listeners), self.tower_items(items)), dim=1)  # (pairs, 4f)
        return self._end(product, self.first(both))

    def all_items(self, listeners: Tensor) -> Tensor:
        """Logits (listeners, items): the same as `forward` of every pair, the first layer reckoned once a side."""
        half = self.tower_items.embedding_dim
        weight = self.first.weight  # (2f, 4f)
        of_listeners = self.tower_listeners(listeners) @ weight[:, :half].T + self.first.bias
        of_items = self.tower_items.weight @ weight[:, half:].T
        product = self.product_listeners(listeners)[:, None, :] * self.product_items.weight  # (listeners, items, f)
        return self._end(product, of_listeners[:, None, :] + of_items)

    def _end(self, product: Tensor, first: Tensor) -> Tensor:
        tower = torch.relu(self.second(torch.relu(first)))
        logits: Tensor = self.last(torch.cat((product, tower), dim=-1)).squeeze(-1)
        return logits
