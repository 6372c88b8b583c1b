"""What a release knows of the sound of its tracks: an optional part of it, in files of its own. No torch.

audio.json           how log-mels are made, and the classes of each network (models.audio.about.About)
audio_<task>.onnx    a log-mel to logits and a vector
audio_rows.npy       int64 (n): which row of the catalogue each vector is of, rising
audio_vectors.npy    float16 (n, 2304): as models.audio.serve.evened leaves them
audio_mean.npy       float32 (2304): what was taken off the vectors
audio_tracks.parquet audio, seconds: where each recording is and how long, parallel to the rows
audio_unheard.txt    where recordings could not be heard: which, and why, a line each
audio.faiss          inner-product index over the vectors; its ids are their numbers
"""

from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.audio.about import ABOUT, network_file, read_about
from models.audio.settings import TASKS, VECTOR
from models.pair.serve import FILES as PAIRS
from models.pair.serve import Pairs
from models.places import places_in

if TYPE_CHECKING:
    from models.audio.serve import Ears

TRACKS = "audio_tracks.parquet"
ROWS, VECTORS, MEAN, INDEX = "audio_rows.npy", "audio_vectors.npy", "audio_mean.npy", "audio.faiss"
UNHEARD = "audio_unheard.txt"  # not among FILES: for people
FILES = (ABOUT, TRACKS, ROWS, VECTORS, MEAN, INDEX, *map(network_file, TASKS))


class Sounds:
    """The index, in memory, and the vectors, mapped."""

    def __init__(self, folder: Path, tracks: int) -> None:
        """`tracks`: of the catalogue. Raises ValueError when the files do not fit it or each other."""
        self.folder = folder
        self.about = read_about(folder)
        self.rows: NDArray[np.int64] = np.load(folder / ROWS, allow_pickle=False)
        # Not in memory: of 4,608 bytes a track only a listener's seeds are read, and they would be most of the part.
        # A map outlives its file's name, so the folder may be removed while the release is in force.
        self.vectors: NDArray[np.float16] = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        self.mean: NDArray[np.float32] = np.load(folder / MEAN, allow_pickle=False)
        self.index = faiss.read_index(str(folder / INDEX))
        count = len(self.rows)
        if self.vectors.shape != (count, VECTOR) or self.index.ntotal != count or self.mean.shape != (VECTOR,):
            raise ValueError(f"{folder}: {ROWS}, {VECTORS}, {MEAN} and {INDEX} disagree")
        if count and (np.any(np.diff(self.rows) <= 0) or self.rows[0] < 0 or self.rows[-1] >= tracks):
            raise ValueError(f"{folder}: {ROWS} names rows that the catalogue has not")

        # Only where some recordings were known to be alike, and others not.
        self.pairs = Pairs(folder, count) if all((folder / name).is_file() for name in PAIRS) else None

    def ears(self) -> "Ears":
        """The networks, which only who asks with a new sound needs."""
        from models.audio.serve import Ears  # onnxruntime, which not every reader of a release has

        return Ears(self.folder, self.about)

    def recordings(self) -> pl.DataFrame:
        """(row, audio, seconds), a row a recording: rows of the catalogue, rising."""
        return pl.read_parquet(self.folder / TRACKS).with_columns(row=pl.Series(self.rows))

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each row's vector, −1 for a track that was not heard."""
        return places_in(self.rows, rows)
