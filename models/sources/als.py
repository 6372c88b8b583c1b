"""ALS neighbours: tracks whose factors lie where the listener's own vector points.

A track that nobody has played has no such factors; where the bridge (models.bridge) speaks for it, one in COLD_EVERY
places is such a track's.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import faiss
import numpy as np
from numpy.typing import NDArray

from models.explain import because_of
from models.index import flat_of, search
from models.release import Release
from models.sources.base import NOTHING, Batch, Candidates, Listener, Rows

NO_CAUSE = "Close to what you play"
CAUSES = 50  # only a listener's strongest tracks are named as the cause of another
COLD_EVERY = 10
_NONE: Rows = np.empty(0, dtype=np.int64)
WORTH_A_THREAD = 16  # listeners
Searched = tuple[int, list[int], NDArray[np.int64]]  # how many neighbours, for whom of the batch, and which
STEP = 4  # how much further to search when too many of the nearest are known already


class Als:
    """The nearest tracks in the release's index that are new to the listener."""

    name = "als"

    def __init__(self, release: Release, regularization: float) -> None:
        self._release = release
        self._factors = release.factors
        self._index = release.index
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="als")  # its thread begins with the first large batch
        self._begun: tuple[Batch, int, Future[list[Searched]]] | None = None
        self._cold = None if release.cold is None else flat_of(release.cold.factors)
        # A track's share in a listener's vector is cᵢ·A⁻¹yᵢ. A⁻¹ without the listener's own part is the same for all
        # and tells the causes apart as well, without the pull that popular tracks' long vectors have.
        base = release.gram.astype(np.float64) + regularization * np.eye(len(release.gram))
        self._spread = np.linalg.inv(base).astype(np.float32) if len(base) else base.astype(np.float32)

    def begin(self, batch: Batch, quota: int) -> None:
        """Search while other sources look. For a few the thread, and another core's cold cache, cost more than that."""
        if len(batch.listeners) >= WORTH_A_THREAD:
            self._begun = batch, quota, self._beside.submit(self._search, batch, quota)

    def candidates(self, batch: Batch, quota: int) -> list[Candidates]:
        """See Source. The search widens for listeners who know too many of the nearest."""
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] is batch and begun[1] == quota:
            searched = begun[2].result()
        else:
            searched = self._search(batch, quota)
        found = [NOTHING] * len(batch.listeners)
        total = len(self._factors)
        cold = self._coldest(batch, quota)
        waiting: dict[int, list[int]] = {}  # listeners by how many neighbours are asked for
        while searched or waiting:
            if not searched:
                searched = [self._searched(batch, *waiting.popitem())]
            width, group, nearest = searched.pop()
            unheard = _unheard(batch, group, nearest, quota)
            for at, rows in zip(group, nearest, strict=True):
                kept = unheard[at]
                if len(kept) < quota and width < total and rows[-1] >= 0:  # −1: the index has no more to give
                    waiting.setdefault(min(total, STEP * width), []).append(at)
                else:
                    found[at] = self._explained(batch.listeners[at], _mixed(kept, cold[at], quota))
        return found

    def _search(self, batch: Batch, quota: int) -> list[Searched]:
        """As many neighbours as each listener is asked for at first."""
        faiss.omp_set_num_threads(1)  # OpenMP's limit is one of the calling thread alone
        groups: dict[int, list[int]] = {}
        total = len(self._factors)
        for at in np.flatnonzero(batch.vectors.any(axis=1)).tolist() if total else ():
            groups.setdefault(min(total, self._width(batch.listeners[at], quota)), []).append(at)
        return [self._searched(batch, width, group) for width, group in groups.items()]

    def _searched(self, batch: Batch, width: int, group: list[int]) -> Searched:
        return width, group, search(self._index, batch.vectors[group], width)[1]

    def _coldest(self, batch: Batch, quota: int) -> list[Rows]:
        """Of each listener the nearest tracks that nobody has played, one in COLD_EVERY at most; one search for all."""
        if self._cold is None or self._release.cold is None:
            return [_NONE] * len(batch.listeners)
        most = -(-quota // COLD_EVERY)
        scores, places = search(self._cold, batch.vectors, STEP * most)
        rows = self._release.cold.rows
        return batch.unheard.first([rows[near[own > 0]] for own, near in zip(scores, places, strict=True)], most)

    @staticmethod
    def _width(listener: Listener, quota: int) -> int:
        """How many neighbours to ask for at first: many of the nearest are known, about half of what one knows at most.

        One of few sizes, so that a batch needs few searches.
        """
        return quota << int(len(listener.rows) // (2 * quota) + 1).bit_length()

    def _explained(self, listener: Listener, rows: Rows) -> Candidates:
        def reasons(positions: Sequence[int]) -> list[str]:
            own = self._causes(listener)
            if not len(own):
                return [NO_CAUSE] * len(positions)
            effects = self._effects(rows[list(positions)], listener.rows[own]) * listener.weights[own]
            catalogue = self._release.catalogue
            causes = listener.rows[own[effects.argmax(axis=1)]].tolist()
            words = {row: because_of(catalogue.titles[row], catalogue.artists[row]) for row in set(causes)}
            speaks = (effects.max(axis=1) > 0).tolist()
            return [words[row] if for_it else NO_CAUSE for row, for_it in zip(causes, speaks, strict=True)]

        return Candidates(rows, reasons)

    def _causes(self, listener: Listener) -> Rows:
        """Positions of the listener's strongest tracks that have factors."""
        usable = np.flatnonzero((listener.weights > 0) & (listener.rows < len(self._factors)))
        if len(usable) > CAUSES:
            usable = usable[np.argpartition(-listener.weights[usable], CAUSES)[:CAUSES]]
        return usable

    def _effects(self, rows: Rows, own: Rows) -> NDArray[np.floating]:
        """How much each own track speaks for each candidate: (candidates, own)."""
        factors = self._release.factors_of(rows)
        effects: NDArray[np.floating] = (factors @ self._spread) @ self._factors[own].T
        return effects


def _unheard(batch: Batch, group: Sequence[int], nearest: Rows, quota: int) -> list[Rows]:
    """For each listener of a batch what they have not heard of the nearest; those outside the group have none."""
    offered = [_NONE] * len(batch.listeners)
    for at, rows in zip(group, nearest, strict=True):
        offered[at] = rows
    return batch.unheard.first(offered, quota)


def _mixed(known: Rows, cold: Rows, quota: int) -> Rows:
    """At most `quota`, of which the last of each COLD_EVERY is a track that nobody has played."""
    known = known[: quota - len(cold)]
    if not len(cold):
        return known
    turns = np.concatenate((np.arange(len(known)) // (COLD_EVERY - 1), np.arange(len(cold)) + 0.5))
    mixed: Rows = np.concatenate((known, cold))[np.argsort(turns, kind="stable")]
    return mixed
