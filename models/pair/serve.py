"""Do two recordings sound alike? The pair network without torch: numpy and onnxruntime.

pair_tower.onnx      pictures (n, 40, 120) and vectors (n, 2304) -> (n, 64)
pair_head.onnx       two of these -> logits (n)
pair_vectors.npy     float16 (n, 64): the tower's, parallel to audio_rows.npy
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.pair.settings import WIDTH

TOWER, HEAD, VECTORS = "pair_tower.onnx", "pair_head.onnx", "pair_vectors.npy"
FILES = (TOWER, HEAD, VECTORS)


class Pairs:
    """The vectors of a release's recordings, and the head that compares them."""

    def __init__(self, folder: Path, recordings: int) -> None:
        """Raises ValueError when the vectors are not of so many recordings."""
        from models.audio.serve import session  # onnxruntime, which not every reader of a release has

        self._vectors: NDArray[np.float16] = np.load(folder / VECTORS, allow_pickle=False)
        if self._vectors.shape != (recordings, WIDTH):
            raise ValueError(f"{folder / VECTORS}: {self._vectors.shape}, not {(recordings, WIDTH)}")
        self._head = session(folder / HEAD)

    def alike(self, seeds: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        """How likely each pair is alike, (seeds, others); both are numbers of recordings."""
        first = np.repeat(self._vectors[seeds], len(others), axis=0).astype(np.float32)
        second = np.tile(self._vectors[others], (len(seeds), 1)).astype(np.float32)
        if not len(first):
            return np.zeros((len(seeds), len(others)), dtype=np.float32)
        logits = self._head.run(["out"], {"first": first, "second": second})[0]
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32).reshape(len(seeds), len(others))
