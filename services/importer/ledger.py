"""What is already in the topics, so that nothing is sent twice.

A cache of the log, never the truth: before it is asked it is caught up with the log (catch_up.py). So a run that was
killed between sending and saving, another machine's import, or a lost or damaged file all heal by themselves.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl

from models.ids import key_of
from services.importer import state
from services.importer.event_ids import keys_of
from services.importer.key_set import Keys, KeySet


class Offsets(dict[int, int]):
    """partition -> the offset up to which the log is known."""

    def advance(self, partition: int, first: int, count: int) -> None:
        """`count` records from offset `first` are known; no step over a gap that somebody else's records fill."""
        if first == self.get(partition, 0):
            self[partition] = first + count

    def arrays(self) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
        """As two arrays to save."""
        pairs = np.array(sorted(self.items()), dtype=np.int64).reshape(-1, 2)
        return {"partitions": pairs[:, 0], "offsets": pairs[:, 1]}


class EventLedger:
    """The keys of the event ids in `listens`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = state.load(path, "keys", "partitions", "offsets")
        self._keys = KeySet(found[0]) if found else KeySet()
        self.offsets = Offsets(zip(found[1].tolist(), found[2].tolist(), strict=True)) if found else Offsets()

    def __len__(self) -> int:
        return len(self._keys)

    def has(self, keys: Keys) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """For each key of an event id, whether the event is in the topic."""
        return self._keys.has(keys)

    def add(self, keys: Keys) -> None:
        """These events are in the topic."""
        self._keys.add(keys)

    def read(self, partition: int, ids: Sequence[str], following: int) -> None:
        """The log of a partition holds these event ids up to the offset `following`."""
        self.add(keys_of(pl.Series(ids, dtype=pl.String)))
        self.offsets[partition] = following

    def forget(self) -> None:
        """Begin anew: the log is not the one that was known."""
        self._keys = KeySet()
        self.offsets.clear()

    def save(self) -> None:
        """Write it, whole or not at all."""
        state.save(self._path, keys=self._keys.sorted(), **self.offsets.arrays())


class TrackLedger:
    """The newest content of each track in `tracks`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = state.load(path, "tracks", "contents", "partitions", "offsets")
        self._contents: dict[int, int] = {}
        self.offsets = Offsets()
        if found:
            self._contents = dict(zip(found[0].tolist(), found[1].tolist(), strict=True))
            self.offsets = Offsets(zip(found[2].tolist(), found[3].tolist(), strict=True))

    def has(self, track_id: str) -> bool:
        """Whether the topic holds anything about the track."""
        return key_of(track_id) in self._contents

    def holds(self, track_id: str, value: bytes) -> bool:
        """Whether this is what the topic says of the track."""
        return self._contents.get(key_of(track_id)) == _content(value)

    def put(self, track_id: str, value: bytes | None) -> None:
        """The topic now says this of the track; None: it was deleted."""
        if value is None:
            self._contents.pop(key_of(track_id), None)
        else:
            self._contents[key_of(track_id)] = _content(value)

    def forget(self) -> None:
        """Begin anew: the log is not the one that was known."""
        self._contents.clear()
        self.offsets.clear()

    def save(self) -> None:
        """Write it, whole or not at all."""
        pairs = np.array(list(self._contents.items()), dtype=np.uint64).reshape(-1, 2)
        state.save(self._path, tracks=pairs[:, 0], contents=pairs[:, 1], **self.offsets.arrays())


def _content(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "little") >> 1
