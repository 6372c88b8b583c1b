"""The song model as the paper had it, in Keras: layers, batches, first weights and Adam of `plain`.

It is timed in a process of its own (models.lyrics.record.apart): nothing imported here may load torch.
"""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lyrics.packed import PAD, Packed
from models.lyrics.record.corpus import Corpus
from models.lyrics.record.run import BATCH, RATE

AT_ONCE = 256


class TensorFlow:
    """See models.lyrics.record.run.Contestant. Raises ModuleNotFoundError where TensorFlow is not installed."""

    name = "TensorFlow"

    def __init__(self, songs: Packed, words: int, length: int, dimensions: int, seed: int, threads: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it tells of every missed instruction set
        import tensorflow as tf

        of = tf.config.threading
        if threads and of.get_intra_op_parallelism_threads() != threads:  # once begun, it refuses a change
            of.set_intra_op_parallelism_threads(threads)
            of.set_inter_op_parallelism_threads(threads)
        tf.keras.utils.set_random_seed(seed)
        self._length = length
        self._songs = songs.padded(length).astype(np.int32)
        layers, told = tf.keras.layers, (np.arange(words) != PAD).astype(np.float32)[:, None]
        self._model: Any = tf.keras.Sequential(
            [
                layers.Input((length,), dtype="int32"),
                # Padding stays zero, as torch's padding_idx keeps it; most songs have much of it.
                layers.Embedding(words, dimensions, embeddings_constraint=lambda rows: rows * told),
                layers.GlobalAveragePooling1D(),
                layers.Dense(dimensions, activation="relu"),
                layers.Dense(len(songs)),
            ]
        )
        self._model.set_weights(_first(words, len(songs), dimensions, np.random.default_rng(seed)))
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(optimizer=tf.keras.optimizers.Adam(RATE, epsilon=1e-8), loss=loss)

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


def _first(words: int, songs: int, dimensions: int, rng: np.random.Generator) -> list[np.ndarray]:
    # As torch draws them; Keras draws words 20 times smaller.
    embedding = rng.standard_normal((words, dimensions))
    embedding[PAD] = 0
    shapes = ((dimensions, dimensions), (dimensions,), (dimensions, songs), (songs,))
    bound = dimensions**-0.5
    return [embedding, *(rng.uniform(-bound, bound, shape) for shape in shapes)]


def tensor_flow(length: int, dimensions: int, seed: int, threads: int, corpus: Corpus) -> TensorFlow:
    """One that is to learn this corpus."""
    return TensorFlow(corpus.songs, corpus.words, length, dimensions, seed, threads)
