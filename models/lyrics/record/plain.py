"""The song model as the paper had it, in plain PyTorch: padded songs, full softmax, dense gradients, batches of 32."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from models.lyrics.packed import PAD, Packed
from models.lyrics.record.run import BATCH, RATE

AT_ONCE = 256


class PlainNetwork(nn.Module):
    """Embedding ─► average pool ─► dense ─► scores of all songs. Padding is averaged too, as Keras' layers do it."""

    def __init__(self, words: int, songs: int, dimensions: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, dimensions, padding_idx=PAD)
        self.dense = nn.Linear(dimensions, dimensions)
        self.output = nn.Linear(dimensions, songs)

    def forward(self, padded: Tensor) -> Tensor:
        """(batch, length) -> (batch, songs)."""
        scores: Tensor = self.output(torch.relu(self.dense(self.embedding(padded).mean(dim=1))))
        return scores


class Plain:
    """See models.lyrics.record.run.Contestant."""

    name = "plain PyTorch"

    def __init__(self, songs: Packed, words: int, length: int, dimensions: int, seed: int, threads: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(threads or torch.get_num_threads())
        self._length = length
        self._songs = torch.from_numpy(songs.padded(length))
        self._network = PlainNetwork(words, len(songs), dimensions)
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=RATE)

    def epoch(self) -> None:
        """Every song once."""
        self._network.train()
        order = torch.randperm(len(self._songs))
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            self._optimizer.zero_grad()
            cross_entropy(self._network(self._songs[chosen]), chosen).backward()
            self._optimizer.step()

    def found(self, asked: Packed, k: int) -> NDArray[np.int64]:
        """The k best songs for each of these, best first."""
        self._network.eval()
        padded = torch.from_numpy(asked.padded(self._length))
        with torch.inference_mode():
            parts = [
                self._network(padded[at : at + AT_ONCE]).topk(k, dim=1).indices.numpy()
                for at in range(0, len(padded), AT_ONCE)
            ]
        return np.concatenate(parts)
