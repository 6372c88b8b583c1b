"""The three networks of a release: taught by the labels of its own tracks, or taken as they are from a folder.

What a network was taught with has a name (a hash of settings, recordings and labels); a network of that name is taken
from the cache, so that a trainer teaches anew only when there is something new to learn.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import faiss
import msgspec
import numpy as np
from numpy.typing import NDArray

from models.audio.about import ABOUT, About, network_file, read_about
from models.audio.extract import Heard
from models.audio.folder import Shares
from models.audio.logmel import mfcc
from models.audio.segments import heard_at_once
from models.audio.settings import TASKS, AudioSettings, MelSettings, NetworkSettings, taught

CLUSTERS = 8
MOST = 6_000  # recordings that a network is taught with, by chance


def teach(
    heard: Sequence[Heard],
    labels: Sequence[Mapping[str, Shares]],
    folder: Path,
    mels: MelSettings,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> About:
    """Write the three graphs and audio.json into the folder. `labels` are parallel to `heard`.

    A task that fewer than two classes are known of learns to tell clusters of the sound apart. Raises NoNetworks,
    models.onnx_graph.NotTheSame, ImportError when there is something to teach and no torch.
    """
    if settings.networks:
        about = read_about(Path(settings.networks))
        for task in TASKS:
            shutil.copyfile(Path(settings.networks) / network_file(task), folder / network_file(task))
    else:
        about = About(mels, {}, {}, {})
        # By content, not as the catalogue has them: its order changes with every listen, and so would the lesson.
        order = sorted(range(len(heard)), key=lambda at: (heard[at].sha256, msgspec.json.encode(labels[at])))
        heard, labels = [heard[at] for at in order], [labels[at] for at in order]
        for done, task in enumerate(TASKS):

            def tell(share: float, done: int = done) -> None:
                progress((done + share) / len(TASKS))

            _one(task, heard, labels, folder, about, settings, threads, tell)
    (folder / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=2))
    progress(1.0)
    return about


def targets_of(labels: Sequence[Mapping[str, Shares]], task: str) -> tuple[list[int], list[str], NDArray[np.float32]]:
    """Which recordings have a label of the task, its classes by name, and (recordings, classes): the shares."""
    rows = [at for at, each in enumerate(labels) if each.get(task)]
    classes = sorted({name for at in rows for name in labels[at][task]})
    targets = np.zeros((len(rows), len(classes)), dtype=np.float32)
    for row, at in enumerate(rows):
        for name, share in labels[at][task].items():
            targets[row, classes.index(name)] = share
    return rows, classes, targets


def _one(
    task: str,
    heard: Sequence[Heard],
    labels: Sequence[Mapping[str, Shares]],
    folder: Path,
    about: About,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    rows, classes, targets = targets_of(labels, task)
    taught_with = len(rows)
    shape = taught(task, settings.crops, settings.seed)
    if len(classes) < 2:
        shape = NetworkSettings(crops=settings.crops, seed=settings.seed)  # clusters are of any sound
        rows, classes, targets = _clustered(heard, task, about.mels.bands, settings.seed)
        taught_with = 0
    if len(rows) > MOST:
        chosen = np.sort(np.random.default_rng(settings.seed).permutation(len(rows))[:MOST])
        rows, targets = [rows[at] for at in chosen], targets[chosen]
    lesson = _name(about.mels, shape, [heard[at].sha256 for at in rows], targets)
    kept = Path(settings.cache) / "networks" / lesson if settings.cache else None
    # Two tasks may have the same lesson, so the same name: clusters of few recordings, or labels that say the same.
    if kept is None or not all((kept / name).is_file() for name in ("difference", network_file(task))):
        made_in = kept or folder
        made_in.mkdir(parents=True, exist_ok=True)
        difference = _taught(
            [heard[at].mel for at in rows], targets, about.mels, shape, threads, made_in, task, progress
        )
        if kept:
            (kept / "difference").write_text(repr(difference), encoding="ascii")  # last: it is whole now
    else:
        difference = float((kept / "difference").read_text(encoding="ascii"))
    if kept:
        shutil.copyfile(kept / network_file(task), folder / network_file(task))
    about.frames[task] = heard_at_once([heard[at].mel for at in rows], about.mels, shape.crop_seconds)
    about.classes[task], about.taught_with[task] = classes, taught_with
    about.difference = max(about.difference, difference)


def _taught(
    mels: Sequence[NDArray[np.float16]],
    targets: NDArray[np.float32],
    heard: MelSettings,
    settings: NetworkSettings,
    threads: int,
    folder: Path,
    task: str,
    progress: Callable[[float], None],
) -> float:
    from models.audio.fit import fit  # torch, which who only takes ready networks need not have
    from models.onnx_graph import export

    made = fit(mels, targets, heard, settings, threads, progress)
    frames = heard_at_once(mels, heard, settings.crop_seconds)
    return export(made, {"mels": (heard.rows, frames)}, ("logits", "vector"), folder / network_file(task))


def _clustered(
    heard: Sequence[Heard], task: str, bands: int, seed: int
) -> tuple[list[int], list[str], NDArray[np.float32]]:
    """Clusters of mean cepstra, each task others: what there is to learn where nobody has said anything."""
    count = max(1, min(CLUSTERS, len(heard) // 4))
    means = np.stack([mfcc(each.mel[:bands].astype(np.float32)).mean(axis=1) for each in heard])
    even = np.ascontiguousarray((means - means.mean(axis=0)) / (means.std(axis=0) + 1e-6), dtype=np.float32)
    faiss.omp_set_num_threads(1)
    kmeans = faiss.Kmeans(even.shape[1], count, seed=seed + TASKS.index(task), min_points_per_centroid=1)
    kmeans.train(even)
    _, nearest = kmeans.index.search(even, 1)
    targets = np.eye(count, dtype=np.float32)[nearest[:, 0]]
    return list(range(len(heard))), [f"cluster {number}" for number in range(count)], targets


def _name(mels: MelSettings, settings: NetworkSettings, hashes: Sequence[str], targets: NDArray[np.float32]) -> str:
    told = hashlib.sha256(msgspec.json.encode([mels, settings, list(hashes)]))
    told.update(targets.tobytes())
    return told.hexdigest()[:32]
