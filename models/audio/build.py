"""The sound of a catalogue, made when a release is: recordings heard, networks taught, vectors, index, files."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.audio import index, part
from models.audio.about import read_about
from models.audio.decode import path_of
from models.audio.extract import Heard, hear
from models.audio.folder import Shares, parsed
from models.audio.problems import BadAudio
from models.audio.serve import Ears, evened
from models.audio.settings import TASKS, VECTOR, AudioSettings, MelSettings
from models.audio.teach import teach

log = logging.getLogger(__name__)

TOLD = 5  # recordings that cannot be heard and are named in the log; part.UNHEARD names all


class Listened:
    """The recordings of a catalogue that could be heard, in the order of its rows."""

    def __init__(
        self, rows: NDArray[np.int64], heard: list[Heard], labels: list[dict[str, Shares]], bad: list[str]
    ) -> None:
        self.rows, self.heard, self.labels = rows, heard, labels
        self.bad = bad  # why the others could not, by name


def listen(
    catalogue: Sequence[str],
    tracks: pl.DataFrame,
    mels: MelSettings,
    settings: AudioSettings,
    workers: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Listened:
    """Hear every track that has a recording. `tracks`: track_id, audio, and labels (JSON) and genre where there are."""
    row_of = {track: row for row, track in enumerate(catalogue)}
    voiced = tracks.filter(pl.col("audio").is_not_null() & pl.col("track_id").is_in(list(row_of)))
    found: dict[int, tuple[Heard, dict[str, Shares]]] = {}
    problems: list[BadAudio] = []
    wanted: list[tuple[Path, dict[str, object]]] = []
    for each in voiced.iter_rows(named=True):
        try:
            wanted.append((path_of(each["audio"]), each))
        except BadAudio as error:
            problems.append(error)
    cache = Path(settings.cache) if settings.cache else None
    for at, heard in hear([path for path, _ in wanted], mels, cache, workers, progress):
        if isinstance(heard, BadAudio):
            problems.append(heard)
        else:
            each = wanted[at][1]
            found[row_of[str(each["track_id"])]] = heard, labels_of(each)
    rows = sorted(found)
    heard_in_order, labels = [found[row][0] for row in rows], [found[row][1] for row in rows]
    return Listened(np.array(rows, dtype=np.int64), heard_in_order, labels, sorted(map(str, problems)))


def labels_of(track: Mapping[str, object]) -> dict[str, Shares]:
    """What a track says of the three tasks; its genre stands for a label of that task."""
    told = track.get("labels")
    labels: dict[str, str] = msgspec.json.decode(str(told), type=dict[str, str]) if told else {}
    if track.get("genre") and "genre" not in labels:
        labels["genre"] = str(track["genre"])
    return {task: shares for task in TASKS if (shares := parsed(labels.get(task, "")))}


def build(
    catalogue: Sequence[str],
    tracks: pl.DataFrame,
    folder: Path,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[dict[str, float], Listened]:
    """Write models.audio.part.FILES into the folder, and UNHEARD; what was measured, and what was heard.

    Nothing is written when nothing could be heard. Raises NoNetworks, NotTheSame, ImportError.
    """
    mels = read_about(Path(settings.networks)).mels if settings.networks else MelSettings()
    listened = listen(catalogue, tracks, mels, settings, threads, lambda done: progress(0.3 * done))
    _tell(listened.bad, folder)
    if not listened.heard:
        return {"bad": float(len(listened.bad)), "tracks": 0.0}, listened
    about = teach(
        listened.heard, listened.labels, folder, mels, settings, threads or 1, lambda done: progress(0.3 + 0.6 * done)
    )
    ears = Ears(folder, about)
    raw = np.empty((len(listened.heard), VECTOR), dtype=np.float32)
    for at, each in enumerate(listened.heard):
        raw[at] = ears.hear(each.mel)[0]
        progress(0.9 + 0.08 * (at + 1) / len(raw))
    mean = raw.mean(axis=0) if len(raw) > 1 else np.zeros(VECTOR, dtype=np.float32)
    vectors = evened(raw, mean)
    found, measured = index.build(vectors, settings.exact_items, settings.min_recall, settings.seed)
    known = dict(tracks.select("track_id", "audio").iter_rows())
    uris = [known[catalogue[row]] for row in listened.rows]
    seconds = [each.mel.shape[1] * mels.hop_ms / 1000 for each in listened.heard]
    pl.DataFrame({"audio": uris, "seconds": seconds}).write_parquet(folder / part.TRACKS)
    np.save(folder / part.ROWS, listened.rows, allow_pickle=False)
    np.save(folder / part.VECTORS, vectors.astype(np.float16), allow_pickle=False)
    np.save(folder / part.MEAN, mean, allow_pickle=False)
    faiss.write_index(found, str(folder / part.INDEX))
    return measured | {"bad": float(len(listened.bad)), "difference": about.difference}, listened


def _tell(bad: Sequence[str], folder: Path) -> None:
    """The first to the log, all of them to a file of the release."""
    for problem in bad[:TOLD]:
        log.warning("not heard: %s", problem)
    if len(bad) > TOLD:
        log.warning("not heard: %d recordings more; %s of the release names all", len(bad) - TOLD, part.UNHEARD)
    if bad:
        (folder / part.UNHEARD).write_text("".join(f"{problem}\n" for problem in bad), encoding="utf-8")
