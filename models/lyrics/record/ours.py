"""The song model as it is taught here, as a contestant."""

import numpy as np
import torch
from numpy.typing import NDArray

from models.lyrics.packed import Packed
from models.lyrics.song_model import Rows, SongModel

AT_ONCE = 1_024


class Ours:
    """See models.lyrics.record.run.Contestant."""

    def __init__(
        self, songs: Packed, words: int, dimensions: int, seed: int, threads: int, rows: Rows = "imprinted"
    ) -> None:
        self.name = f"ours, {rows}"
        self._model = SongModel(songs, words, dimensions, seed, threads, rows)

    def epoch(self) -> None:
        """Every song once."""
        self._model.epoch()

    def found(self, asked: Packed, k: int) -> NDArray[np.int64]:
        """The k best songs for each of these, best first."""
        outputs = torch.from_numpy(self._model.outputs())
        vectors = torch.from_numpy(self._model.encode(asked))
        parts = [
            (vectors[at : at + AT_ONCE] @ outputs.T).topk(k, dim=1).indices.numpy()
            for at in range(0, len(vectors), AT_ONCE)
        ]
        return np.concatenate(parts)
