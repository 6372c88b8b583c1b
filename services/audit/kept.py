"""The trainer's history against the log: every admitted offset exactly once, in the segment that is named for it.

The folder is read as the trainer documents it (services/trainer/history.py), without its lock: a trainer may be
writing. What it does meanwhile is seen whole or not at all, because it renames; a merge shows for a moment as a segment
beside its own parts, and an aside file is there while it is written. So the folder is looked at again, a few times,
before such a thing is called trouble.
"""

import time
from array import array
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.topics import LISTENS
from services.audit.findings import Findings
from services.audit.result import Kept, Partition
from services.runtime.errors import Fatal
from services.runtime.kafka_clients import admin, kafka_trouble
from services.runtime.settings import KafkaSettings

LOOKS = 5
BETWEEN_S = 0.5
Offsets = NDArray[np.int64]


class Segment(NamedTuple):
    """One file and the offsets that it is named for, both included."""

    first: int
    last: int
    offsets: Offsets


class _Identity(msgspec.Struct):
    cluster: str
    topic: str
    topic_id: str


class _Again(Exception):
    """The folder changed while it was read."""


class HistoryAudit:
    """Takes partitions one after the other. Raises Fatal on a folder that is no history, or cannot be read."""

    def __init__(self, folder: Path, settings: KafkaSettings, findings: Findings) -> None:
        if not (folder / "listens").is_dir():
            raise Fatal(f"{folder} is no trainer's history: it has no folder `listens`; see SEGUE_TRAINER_HISTORY")
        self._folder, self._findings = folder, findings
        self.found = Kept(str(folder), identity=_other(folder, settings))
        if self.found.identity:
            findings.add("history of another log", -1, -1, self.found.identity)

    def partition(self, found: Partition, admitted: "array[int]") -> None:
        """Compare one partition with the offsets that its log admits; the folder is looked at after the log."""
        if self.found.identity:
            return  # its offsets mean nothing here
        segments = self._segments(found.partition)
        wanted = np.asarray(admitted, dtype=np.int64)
        self._shape(found, segments)
        self._rows(found, segments, wanted)

    def settle(self) -> Kept:
        """Look for half-written files; the result."""
        left = _asides(self._folder)
        for _ in range(LOOKS):
            if not left:
                break
            time.sleep(BETWEEN_S)
            left &= _asides(self._folder)
        self.found.aside = len(left)
        for path, _ in sorted(left):
            self._findings.add("aside file", -1, -1, f"{path.relative_to(self._folder)} is left half written")
        return self.found

    def _segments(self, number: int) -> list[Segment]:
        """A partition's segments in order; one that contains others stands before them."""
        for look in range(LOOKS):
            try:
                return _read(self._folder / "listens" / str(number), overlaps=look == LOOKS - 1)
            except _Again:
                time.sleep(BETWEEN_S)
        raise Fatal(f"{self._folder}: partition {number} changes faster than it can be read; run it again")

    def _shape(self, found: Partition, segments: list[Segment]) -> None:
        kept = self.found
        kept.segments += len(segments)
        for before, after in pairwise(segments):
            gap = after.first - max(before.last + 1, found.first)
            if gap > 0 and after.first > before.last + 1:
                kept.gaps += gap
                says = f"no segment has offsets {max(before.last + 1, found.first)} to {after.first - 1}"
                self._findings.add("gap in history", found.partition, before.last + 1, says)
        for segment in segments:
            outside = int(((segment.offsets < segment.first) | (segment.offsets > segment.last)).sum())
            kept.outside += outside
            if outside:
                says = f"{outside} rows outside the offsets of segment {segment.first} to {segment.last}"
                self._findings.add("misplaced in history", found.partition, segment.first, says)

    def _rows(self, found: Partition, segments: list[Segment], wanted: Offsets) -> None:
        kept, number = self.found, found.partition
        rows = np.concatenate([segment.offsets for segment in segments]) if segments else np.empty(0, np.int64)
        once, times = np.unique(rows, return_counts=True)
        kept.listens += len(rows)
        kept.unchecked += int((rows < found.first).sum())
        begin, end = (segments[0].first, max(s.last for s in segments) + 1) if segments else (0, 0)
        inside = wanted[(wanted >= begin) & (wanted < end)]
        kept.behind += int((wanted >= end).sum())
        missing = np.setdiff1d(inside, once)
        missing = np.concatenate([wanted[wanted < begin], missing])
        foreign = np.setdiff1d(once[(once >= found.first) & (once < found.end)], wanted)
        doubled = once[times > 1]
        for kind, offsets in (("missing", missing), ("foreign", foreign), ("doubled", doubled)):
            setattr(kept, kind, getattr(kept, kind) + len(offsets))
            if len(offsets):
                says = f"{len(offsets)} offsets, the first is {offsets[0]}"
                self._findings.add(f"{kind} in history", number, int(offsets[0]), says)


def _read(part: Path, *, overlaps: bool) -> list[Segment]:
    """Raises _Again where files went away or, unless `overlaps` is to be believed, cover the same offsets."""
    segments = []
    try:
        for path in part.glob("[0-9]*.parquet"):
            first, _, last = path.stem.partition("-")
            offsets = pl.read_parquet(path, columns=["offset"])["offset"].to_numpy()
            segments.append(Segment(int(first), int(last), offsets))
    except FileNotFoundError as error:
        raise _Again from error
    except (pl.exceptions.PolarsError, ValueError, OSError) as error:
        raise Fatal(f"{part} holds a segment that cannot be read: {error}") from error
    segments.sort(key=lambda segment: (segment.first, -segment.last))
    if not overlaps and any(after.first <= before.last for before, after in pairwise(segments)):
        raise _Again
    return segments


def _asides(folder: Path) -> set[tuple[Path, int]]:
    found = set()
    for path in folder.rglob(".aside-*"):
        try:
            found.add((path, path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def _other(folder: Path, settings: KafkaSettings) -> str:
    """Why this is the history of another log, empty when it is of this one. Raises Fatal."""
    try:
        identity = msgspec.json.decode((folder / "identity.json").read_bytes(), type=_Identity)
    except (OSError, msgspec.MsgspecError) as error:
        raise Fatal(
            f"{folder / 'identity.json'} cannot be read, so nobody knows which log this is of: {error}"
        ) from error
    with kafka_trouble("looking for the topic"), admin(settings) as client:
        cluster = client.describe_cluster()["cluster_id"]
        topics: list[Mapping[str, object]] = client.describe_topics([LISTENS.name])
    here = _Identity(str(cluster), LISTENS.name, str(topics[0]["topic_id"]))
    if here == identity:
        return ""
    return (
        f"it is of {identity.topic} ({identity.topic_id}) of cluster {identity.cluster}, not of {here.topic} "
        f"({here.topic_id}) of cluster {here.cluster}"
    )
