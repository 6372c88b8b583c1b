"""Hearing without torch: three ONNX graphs, a track's 2,304-d vector and what it sounds like. numpy and onnxruntime."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio.about import About, network_file
from models.audio.segments import SEGMENT_S, thirds, windows
from models.audio.settings import SEGMENTS, TASKS, VECTOR, WIDTH
from models.ort import onnxruntime

Vector = NDArray[np.float32]


def session(path: Path) -> onnxruntime.InferenceSession:
    """A graph, on one thread: two that wait for each other are slower."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Ears:
    """The three networks of one release. Not for several threads at once."""

    def __init__(self, folder: Path, about: About) -> None:
        self.heard = about.mels
        self._about = about
        self._networks = {task: session(folder / network_file(task)) for task in TASKS}
        self._segment = about.mels.frames(SEGMENT_S)

    def hear(self, mel: NDArray[np.floating]) -> tuple[Vector, dict[str, NDArray[np.float32]]]:
        """(VECTOR,) as the networks give it, segment after segment of each task, and by task the classes' shares."""
        parts = thirds(mel, self._segment)
        distinct = parts[:1] if mel.shape[1] <= self._segment else parts  # a short one is its own three segments
        vectors, shares = [], {}
        for task in TASKS:
            frames, graph = self._about.frames[task], self._networks[task]
            outs = [graph.run(["logits", "vector"], {"mels": windows(part, frames)}) for part in distinct]
            vectors += [out[1].mean(axis=0) for out in outs] * (SEGMENTS // len(outs))
            shares[task] = np.mean([_softmax(out[0]).mean(axis=0) for out in outs], axis=0)
        return np.concatenate(vectors), shares


def evened(vectors: NDArray[np.float32], mean: Vector) -> NDArray[np.float32]:
    """(n, VECTOR) ready for an index: less the catalogue's mean, each part of WIDTH of one length, all of length one.

    So that no network and no segment drowns the others; an inner product is then a cosine.
    """
    parts = (vectors - mean).reshape(len(vectors), VECTOR // WIDTH, WIDTH)
    lengths = np.linalg.norm(parts, axis=2, keepdims=True)
    even = np.divide(parts, lengths, out=np.zeros_like(parts), where=lengths > 1e-6)
    flat = even.reshape(len(vectors), VECTOR)
    whole = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.divide(flat, whole, out=np.zeros_like(flat), where=whole > 1e-6), dtype=np.float32)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)
