"""What the pair network sees of a recording, and which pairs are known to be alike. numpy alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.audio.settings import MelSettings
from models.pair.settings import BANDS, FRAMES, PICTURE_S

Picture = NDArray[np.float32]


def picture(mel: NDArray[np.floating], heard: MelSettings) -> Picture:
    """(BANDS, FRAMES): the first PICTURE_S of a log-mel, or all of it, drawn together to this size by means."""
    part = mel[: heard.bands, : heard.frames(PICTURE_S)].astype(np.float32)
    return _means(_means(part, FRAMES, axis=1), BANDS, axis=0)


def alike(labels: Sequence[Mapping[str, Mapping[str, float]]], artists: Sequence[str]) -> NDArray[np.bool_]:
    """(n, n): by one artist ("" is nobody), or of the same class in every task that both have a label of.

    Of shares the largest is the class. A recording is no pair with itself.
    """
    names = np.array(artists)
    same = (names[:, None] == names[None, :]) & (names != "")[:, None]
    shared = np.zeros(same.shape, dtype=bool)
    differ = np.zeros(same.shape, dtype=bool)
    for task in {task for each in labels for task in each}:
        top = np.array(
            [max(each[task], key=lambda name: each[task][name]) if each.get(task) else "" for each in labels]
        )
        both = (top != "")[:, None] & (top != "")[None, :]
        equal = top[:, None] == top[None, :]
        shared |= both & equal
        differ |= both & ~equal
    found: NDArray[np.bool_] = same | (shared & ~differ)
    np.fill_diagonal(found, val=False)
    return found


def _means(table: Picture, size: int, axis: int) -> Picture:
    """Along the axis, `size` means of as even parts as can be; what is shorter is stretched."""
    length = table.shape[axis]
    if length < size:
        return np.asarray(np.take(table, np.arange(size) * length // size, axis=axis), dtype=np.float32)
    starts = np.arange(size) * length // size
    sums = np.add.reduceat(table, starts, axis=axis)
    counts = np.diff(np.append(starts, length)).astype(np.float32)
    return np.asarray(sums / (counts[None, :] if axis == 1 else counts[:, None]), dtype=np.float32)
