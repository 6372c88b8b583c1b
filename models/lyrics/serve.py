"""Topics of songs without torch: ONNX Runtime and numpy. One thread, as everywhere where lists are made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lyrics.tfidf import Bags, Tfidf
from models.ort import onnxruntime

AT_ONCE = 512  # songs


class Topics:
    """An exported classifier."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, path: Path) -> "Topics":
        """Raises onnxruntime's errors on a file that is no graph."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return cls(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))

    def probabilities(self, bags: Bags) -> NDArray[np.float32]:
        """(songs, topics) of TF-IDF rows."""
        parts = [
            self._session.run(None, {"tfidf": bags.dense(at, min(at + AT_ONCE, len(bags)))})[0]
            for at in range(0, len(bags), AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


class TopicClassifier:
    """From cleaned words to topics: what a release brings in `lyrics_terms.parquet` and `lyrics_topics.onnx`."""

    def __init__(self, tfidf: Tfidf, topics: Topics) -> None:
        self._tfidf, self._topics = tfidf, topics

    def probabilities(self, songs: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """(songs, topics) of songs as models.lyrics.text.Cleaner gives them."""
        return self._topics.probabilities(self._tfidf.bags(songs))
