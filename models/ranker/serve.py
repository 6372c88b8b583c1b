"""The neural ranker as it is served: ONNX Runtime on one thread, no torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.ort import onnxruntime as ort
from models.ranker.features import NAMES

INPUT, OUTPUT = "features", "scores"


class NetworkScorer:
    """Scores candidates by an exported network."""

    def __init__(self, data: bytes) -> None:
        """`data`: a graph (models.ranker.export). Raises ValueError: it is none, or was learned on other features."""
        options = ort.SessionOptions()
        # Two threads that wait for each other make one small list many times slower.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            raise ValueError(f"not a graph that ONNX Runtime can run: {error}") from error
        names = self._session.get_modelmeta().custom_metadata_map.get("features", "").split()
        if names != list(NAMES):
            raise ValueError("the ranker was learned on other features than this version has")

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Higher is better; (candidates) from (candidates, len(NAMES))."""
        [found] = self._session.run([OUTPUT], {INPUT: np.ascontiguousarray(features)})
        return np.asarray(found[:, 0], dtype=np.float32)

    @classmethod
    def load(cls, path: Path) -> "NetworkScorer":
        """From a file. Raises ValueError naming it."""
        try:
            return cls(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
