"""How well a release hears what it was not taught: the 2,304 numbers of its three networks, and the pair network.

Cross-validated as models.audio.judge does it. For each fold everything is taught by the other folds, as a trainer
would, and then asked about the fold:

- `near`: of the five nearest recordings of the other folds, how many are of the query's class or by its artist; by the
  2,304 numbers, by mean MFCCs, and by chance;
- `pairs`: two recordings of the fold, alike or not (models.pair.pictures.alike), each kind counting half: AUC and
  balanced accuracy of the pair network, beside the cosine of the 2,304 numbers and of mean MFCCs. A cosine has no
  threshold of its own: all get the one that suits the pairs of the other folds best.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedGroupKFold

from models.audio.extract import Heard
from models.audio.folder import Shares
from models.audio.judge import NEAREST, Figure, Table, over, same
from models.audio.logmel import mfcc
from models.audio.serve import Ears, evened
from models.audio.settings import VECTOR, AudioSettings, MelSettings
from models.audio.teach import targets_of, teach
from models.pair.build import taught, write_vectors
from models.pair.pictures import alike, picture
from models.pair.serve import Pairs
from models.pair.settings import PairSettings

MOST_PAIRS = 20_000  # asked of each kind in a fold, by chance

Rows = NDArray[np.int64]
Metrics = dict[str, dict[str, float]]  # system -> metric -> value


class Labelled(Struct):
    """Parallel columns; `artists` are "" where unknown."""

    heard: list[Heard]
    labels: list[Mapping[str, Shares]]
    groups: list[str]
    artists: list[str]

    def of(self, rows: Rows) -> "Labelled":
        """Some of them."""
        at = rows.tolist()
        return Labelled(
            [self.heard[row] for row in at], [self.labels[row] for row in at],
            [self.groups[row] for row in at], [self.artists[row] for row in at],
        )  # fmt: skip


class Scored(Struct):
    """The pairs of a fold, half of them alike, and by system how alike each is said to be."""

    known: NDArray[np.bool_]
    said: dict[str, NDArray[np.float32]]


class Judged(Struct):
    """What came out: system -> metric -> figure over the folds."""

    task: str
    recordings: int
    folds: int
    near: dict[str, dict[str, Figure]]
    pairs: dict[str, dict[str, Figure]]


def judge(
    task: str,
    labelled: Labelled,
    mels: MelSettings,
    settings: AudioSettings,
    folds: int,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Judged:
    """`task`: whose classes the folds are even in and the nearest are compared by. Every recording has a label of it.

    Raises models.pair.fit.NoPairs when there are no pairs to learn, ValueError when groups are fewer than folds.
    """
    _, _, targets = targets_of(labelled.labels, task)
    top = targets.argmax(axis=1)
    if len(set(labelled.groups)) < folds:
        raise ValueError(f"{len(set(labelled.groups))} groups are too few for {folds} folds")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=settings.seed)
    near: list[Metrics] = []
    pairs: list[Scored] = []
    for fold, (learned, asked) in enumerate(splitter.split(np.zeros(len(top)), top, labelled.groups)):

        def tell(share: float, fold: int = fold) -> None:
            progress((fold + share) / folds)

        with TemporaryDirectory() as folder:
            vectors, network = _made(labelled, learned, asked, Path(folder), mels, settings, threads, tell)
        bands = [each.mel[: mels.bands].astype(np.float32) for each in labelled.heard]
        means = _even(np.stack([mfcc(each).mean(axis=1) for each in bands]), learned)
        near.append(_near(top, labelled.artists, learned, asked, {"2,304": vectors, "mean MFCCs": means}))
        pairs.append(_pairs(labelled.of(asked), network, {"2,304": vectors[asked], "mean MFCCs": means[asked]}, fold))
        tell(1.0)
    return Judged(task, len(top), folds, _over(near), _over(measured(pairs)))


def _made(
    labelled: Labelled,
    learned: Rows,
    asked: Rows,
    folder: Path,
    mels: MelSettings,
    settings: AudioSettings,
    threads: int,
    progress: Callable[[float], None],
) -> tuple[Table, Table]:
    """Teach what a release has by `learned`: the vectors of all recordings, and how alike the asked are, (n, n)."""
    own = labelled.of(learned)
    about = teach(own.heard, own.labels, folder, mels, settings, threads, lambda done: progress(0.8 * done))
    ears = Ears(folder, about)
    raw = np.stack([ears.hear(each.mel)[0] for each in labelled.heard]).reshape(-1, VECTOR)
    pictures = np.stack([picture(each.mel, mels) for each in labelled.heard])
    vectors = evened(raw, raw[learned].mean(axis=0))
    known = alike(own.labels, own.artists)
    cache = Path(settings.cache) if settings.cache else None
    taught(
        pictures[learned], vectors[learned], known, folder, PairSettings(), cache, threads,
        lambda done: progress(0.8 + 0.2 * done),
    )  # fmt: skip
    write_vectors(pictures[asked], vectors[asked], folder)
    numbers = np.arange(len(asked))
    return vectors, Pairs(folder, len(asked)).alike(numbers, numbers)


def _even(vectors: Table, learned: Rows) -> Table:
    """Each number as far from its mean as is usual, each row of length one."""
    made = (vectors - vectors[learned].mean(axis=0)) / (vectors[learned].std(axis=0) + 1e-6)
    return np.asarray(made / (np.linalg.norm(made, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _near(top: Rows, artists: Sequence[str], learned: Rows, asked: Rows, systems: Mapping[str, Table]) -> Metrics:
    places = {
        name: np.argsort(-(vectors[asked] @ vectors[learned].T), axis=1)[:, :NEAREST]
        for name, vectors in systems.items()
    }
    places["chance"] = np.tile(np.arange(len(learned)), (len(asked), 1))
    return {name: same(near, learned, asked, top, artists) for name, near in places.items()}


def _pairs(asked: Labelled, network: Table, systems: Mapping[str, Table], seed: int) -> Scored:
    rows, others = np.triu_indices(len(asked.heard), 1)
    known = alike(asked.labels, asked.artists)[rows, others]
    rng = np.random.default_rng(seed)
    lanes = [np.flatnonzero(known), np.flatnonzero(~known)]
    size = min(MOST_PAIRS, *map(len, lanes))
    drawn = np.concatenate([rng.permutation(lane)[:size] for lane in lanes])
    rows, others, known = rows[drawn], others[drawn], known[drawn]
    said = {"pair network": network[rows, others]}
    for name, vectors in systems.items():
        said[f"cosine of {name}"] = (vectors[rows] * vectors[others]).sum(axis=1)
    return Scored(known, said)


def measured(folds: Sequence[Scored]) -> list[Metrics]:
    """Of each fold that has pairs of both kinds, by system. One such fold alone has no other to find a threshold by."""
    told = [fold for fold in folds if len(fold.known)]
    found: list[Metrics] = []
    for at, fold in enumerate(told):
        others = told[:at] + told[at + 1 :]
        rest = np.concatenate([other.known for other in others]) if others else fold.known[:0]
        metrics: dict[str, dict[str, float]] = {}
        for name, said in fold.said.items():
            metrics[name] = {"auc": float(roc_auc_score(fold.known, said))}
            if others:
                bound = threshold(rest, np.concatenate([other.said[name] for other in others]))
                metrics[name]["balanced_accuracy"] = float(((said >= bound) == fold.known).mean())
        found.append(metrics)
    return found


def threshold(known: NDArray[np.bool_], said: NDArray[np.float32]) -> float:
    """From where on to say "alike", so that most of both kinds are told rightly."""
    wrong, right, bounds = roc_curve(known, said)
    return float(bounds[(right - wrong).argmax()])


def _over(folds: Sequence[Metrics]) -> dict[str, dict[str, Figure]]:
    return {name: over([fold[name] for fold in folds]) for name in (folds[0] if folds else ())}
