"""How well a network of one shape learns a labelled set: cross-validated, no group in two parts, beside baselines.

Folds are stratified by class and keep groups whole (a track; all notes of a pitch). Each fold is learned by itself, so
nothing of what is asked was heard before. Baselines: the most frequent class of what the fold learns from, and a
logistic regression on mean MFCCs. `same_…@5`: of the five nearest recordings of the other folds, how many are of the
query's class (or by its artist), by the network's vectors, by mean MFCCs, and by chance.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from models.audio.logmel import mfcc
from models.audio.segments import AnyMel, heard_at_once
from models.audio.settings import MelSettings, NetworkSettings

NEAREST = 5

Table = NDArray[np.float32]


class Examples(NamedTuple):
    """Parallel columns; `artists` are "" where unknown."""

    mels: list[NDArray[np.float16]]
    targets: Table  # (recordings, classes): shares
    groups: list[str]
    artists: list[str]


class Figure(Struct):
    """Over the folds."""

    mean: float
    std: float
    folds: list[float]


class Judged(Struct):
    """What came out. `figures`: system -> metric -> figure. `confusion`: rows are true, columns are said."""

    task: str
    classes: list[str]
    recordings: int
    groups: int
    parameters: int
    seconds: float  # of learning, over all folds
    figures: dict[str, dict[str, Figure]]
    confusion: list[list[int]]


class Fold(NamedTuple):
    """One fold's answers."""

    asked: NDArray[np.int64]
    learned: NDArray[np.int64]
    shares: Table  # (asked, classes)
    vectors: Table  # of all recordings
    parameters: int
    seconds: float


def judge(
    task: str,
    classes: list[str],
    examples: Examples,
    heard: MelSettings,
    settings: NetworkSettings,
    folds: int,
    workers: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Judged:
    """Learn and ask every fold. Raises ValueError when there are too few groups for so many folds."""
    top = examples.targets.argmax(axis=1)
    if len(set(examples.groups)) < folds:
        raise ValueError(f"{len(set(examples.groups))} groups are too few for {folds} folds")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=settings.seed)
    splits = list(splitter.split(np.zeros(len(top)), top, examples.groups))
    made = _learned(examples, splits, heard, settings, workers, progress)
    means = np.stack([mfcc(mel[: heard.bands].astype(np.float32)).mean(axis=1) for mel in examples.mels])
    baselines = [_regression(means, examples.targets, learned, asked) for learned, asked in splits]
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for fold in made:
        np.add.at(confusion, (top[fold.asked], fold.shares.argmax(axis=1)), 1)
    ours = [_metrics(examples.targets[fold.asked], fold.shares) for fold in made]
    plain = [_metrics(examples.targets[fold.asked], said) for fold, said in zip(made, baselines, strict=True)]
    majority = [_metrics(examples.targets[fold.asked], _usual(fold, examples.targets)) for fold in made]
    return Judged(
        task=task,
        classes=classes,
        recordings=len(top),
        groups=len(set(examples.groups)),
        parameters=made[0].parameters,
        seconds=sum(fold.seconds for fold in made),
        figures={
            "network": _both(ours, [_nearest(fold, fold.vectors, examples) for fold in made]),
            "logistic regression on mean MFCCs": _both(plain, [_nearest(fold, means, examples) for fold in made]),
            "majority": _both(majority, [_by_chance(fold, examples) for fold in made]),
        },
        confusion=confusion.tolist(),
    )


def _learned(
    examples: Examples,
    splits: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    heard: MelSettings,
    settings: NetworkSettings,
    workers: int,
    progress: Callable[[float], None],
) -> list[Fold]:
    progress(0.0)
    found: dict[int, Fold] = {}
    pool = ProcessPoolExecutor(min(workers, len(splits)), mp_context=get_context("spawn"))
    try:
        waiting = {
            pool.submit(_fold, examples.mels, examples.targets, learned, asked, heard, settings): at
            for at, (learned, asked) in enumerate(splits)
        }
        for done, future in enumerate(as_completed(waiting), 1):
            found[waiting[future]] = future.result()
            progress(done / len(splits))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [found[at] for at in range(len(splits))]


def _fold(
    mels: Sequence[AnyMel],
    targets: Table,
    learned: NDArray[np.int64],
    asked: NDArray[np.int64],
    heard: MelSettings,
    settings: NetworkSettings,
) -> Fold:
    from time import perf_counter

    from models.audio.fit import fit, listen  # torch
    from models.audio.network import parameters

    began = perf_counter()
    own = [mels[at] for at in learned]
    made = fit(own, targets[learned], heard, settings)
    seconds = perf_counter() - began
    shares, vectors = listen(made, mels, heard, heard_at_once(own, heard, settings.crop_seconds))
    return Fold(asked, learned, shares[asked], vectors, parameters(made), seconds)


def _regression(means: Table, targets: Table, learned: NDArray[np.int64], asked: NDArray[np.int64]) -> Table:
    """Shares (asked, classes): each recording counts for its classes by their shares."""
    scaler = StandardScaler().fit(means[learned])
    rows, classes = np.nonzero(targets[learned])
    model = LogisticRegression(max_iter=2_000)
    model.fit(scaler.transform(means[learned][rows]), classes, sample_weight=targets[learned][rows, classes])
    said = np.zeros((len(asked), targets.shape[1]), dtype=np.float32)
    said[:, model.classes_] = model.predict_proba(scaler.transform(means[asked]))
    return said


def _usual(fold: Fold, targets: Table) -> Table:
    """The same for all that are asked: the mean shares of what the fold has learned from."""
    return np.tile(targets[fold.learned].mean(axis=0), (len(fold.asked), 1))


def _metrics(targets: Table, said: Table) -> dict[str, float]:
    true, guess = targets.argmax(axis=1), said.argmax(axis=1)
    found = {
        "accuracy": float((true == guess).mean()),
        "macro_f1": float(f1_score(true, guess, average="macro", zero_division=0.0)),
    }
    if (targets.max(axis=1) < 1.0).any():  # shares: how well their order is told, recording by recording
        varied = [at for at in range(len(said)) if np.ptp(said[at]) > 0 and np.ptp(targets[at]) > 0]
        found["spearman"] = float(np.mean([spearmanr(said[at], targets[at]).statistic for at in varied or [0]]))
    return found


def _nearest(fold: Fold, vectors: Table, examples: Examples) -> dict[str, float]:
    mean, spread = vectors[fold.learned].mean(axis=0), vectors[fold.learned].std(axis=0) + 1e-6
    even = (vectors - mean) / spread
    even /= np.linalg.norm(even, axis=1, keepdims=True) + 1e-9
    near = np.argsort(-(even[fold.asked] @ even[fold.learned].T), axis=1)[:, :NEAREST]
    return same(near, fold.learned, fold.asked, examples.targets.argmax(axis=1), examples.artists)


def _by_chance(fold: Fold, examples: Examples) -> dict[str, float]:
    near = np.tile(np.arange(len(fold.learned)), (len(fold.asked), 1))
    return same(near, fold.learned, fold.asked, examples.targets.argmax(axis=1), examples.artists)


def same(
    near: NDArray[np.int64],
    learned: NDArray[np.int64],
    asked: NDArray[np.int64],
    top: NDArray[np.int64],
    artists: Sequence[str],
) -> dict[str, float]:
    """How many of the `near` (asked, any number; places in `learned`) are of the query's class, and by its artist.

    `top` and `artists` ("" where unknown) are of all recordings.
    """
    rows = learned[near]
    found = {f"same_class@{NEAREST}": float((top[rows] == top[asked][:, None]).mean())}
    names = np.array(artists)
    known = names[asked] != ""
    if known.any():
        found[f"same_artist@{NEAREST}"] = float((names[rows[known]] == names[asked][known][:, None]).mean())
    return found


def over(folds: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    """Mean and spread of each metric that every fold has."""
    names = [name for name in folds[0] if all(name in fold for fold in folds)]
    values = {name: [fold[name] for fold in folds] for name in names}
    return {
        name: Figure(float(np.mean(of)), float(np.std(of)), [round(v, 4) for v in of]) for name, of in values.items()
    }


def _both(ours: list[dict[str, float]], near: list[dict[str, float]]) -> dict[str, Figure]:
    return over([first | second for first, second in zip(ours, near, strict=True)])
