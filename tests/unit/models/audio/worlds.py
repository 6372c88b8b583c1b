"""A release whose tracks were heard: vectors on a fan, the nearer two rows, the nearer their sound. No networks."""

from pathlib import Path

import faiss
import numpy as np
import polars as pl

from models.audio import part
from models.audio.about import ABOUT, network_file
from models.audio.settings import TASKS, VECTOR


def fan(count: int) -> np.ndarray:
    angles = np.linspace(0, np.pi / 2, count)
    vectors = np.zeros((count, VECTOR), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors


def write_sounds(folder: Path, rows: list[int]) -> None:
    """The files of the part, for these rows of the catalogue."""
    vectors = fan(len(rows))
    index = faiss.IndexFlatIP(VECTOR)
    index.add(vectors)
    faiss.write_index(index, str(folder / part.INDEX))
    np.save(folder / part.ROWS, np.array(rows, dtype=np.int64))
    np.save(folder / part.VECTORS, vectors.astype(np.float16))
    np.save(folder / part.MEAN, np.zeros(VECTOR, dtype=np.float32))
    uris = [f"file:///music/{row}.mp3" for row in rows]
    pl.DataFrame({"audio": uris, "seconds": [30.0] * len(rows)}).write_parquet(folder / part.TRACKS)
    for task in TASKS:
        (folder / network_file(task)).write_bytes(b"")
    (folder / ABOUT).write_text('{"mels": {}, "classes": {}, "frames": {}, "taught_with": {}}')
