"""The song model as the paper had it, in Keras: layers, batches and rate of `plain`. TensorFlow is optional."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lyrics.packed import Packed
from models.lyrics.record.plain import BATCH, RATE

AT_ONCE = 256


class TensorFlow:
    """See models.lyrics.record.run.Contestant. Raises ModuleNotFoundError where TensorFlow is not installed."""

    name = "TensorFlow"

    def __init__(self, songs: Packed, words: int, length: int, dimensions: int, seed: int, threads: int) -> None:
        import tensorflow as tf

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.keras.utils.set_random_seed(seed)
        self._length = length
        self._songs = songs.padded(length).astype(np.int32)
        layers = tf.keras.layers
        self._model: Any = tf.keras.Sequential(
            [
                layers.Input((length,), dtype="int32"),
                layers.Embedding(words, dimensions),
                layers.GlobalAveragePooling1D(),
                layers.Dense(dimensions, activation="relu"),
                layers.Dense(len(songs)),
            ]
        )
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(optimizer=tf.keras.optimizers.Adam(RATE), loss=loss)

    def epoch(self) -> None:
        """Every song once."""
        self._model.fit(self._songs, np.arange(len(self._songs)), batch_size=BATCH, epochs=1, verbose=0)

    def found(self, asked: Packed, k: int) -> NDArray[np.int64]:
        """The k best songs for each of these, best first."""
        padded = asked.padded(self._length).astype(np.int32)
        parts = [
            np.argsort(-np.asarray(self._model(padded[at : at + AT_ONCE])), axis=1)[:, :k]
            for at in range(0, len(padded), AT_ONCE)
        ]
        return np.concatenate(parts).astype(np.int64)
