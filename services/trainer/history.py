"""The history: every listen of the log, in Parquet segments named by the offsets they cover.

    history/identity.json                       the cluster and topic that it is a copy of
    history/listens/<partition>/<first>-<last>.parquet    both offsets included

The folder is the position: reading goes on after the newest segment's last offset. A segment is named by what was
*read*, not by what is in it, so an offset that holds nothing (poison, a transaction's mark) is not read again. It is
written aside and renamed, so after a kill each offset is in the history or still to be read, never both.
"""

import fcntl
import logging
from collections.abc import Collection
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from schemas.release import Span
from services.runtime.errors import Fatal
from services.runtime.files import sweep, write_private, write_whole
from services.trainer.columns import LISTENS

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
SMALL = 250_000  # rows; a segment that has reached this is not merged again


class Identity(Struct, frozen=True):
    """What the history is a copy of."""

    cluster: str
    topic: str
    topic_id: str


class Segment(NamedTuple):
    """One file: the offsets it covers and how many listens it holds."""

    first: int
    last: int
    rows: int
    path: Path


class History:
    """One folder of segments, with one writer: a second one is refused. Raises Fatal on a folder it cannot trust."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        try:
            _prove(folder, identity)
            for path in sweep(folder):
                log.info("removed %s, left half written", path)
            parts = sorted((folder / "listens").glob("[0-9]*"), key=lambda path: int(path.name))
            self._segments: dict[int, list[Segment]] = {int(part.name): _opened(part) for part in parts}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.close()

    def position(self, partition: int) -> int | None:
        """The next offset to read; None when nothing of the partition was read yet."""
        segments = self._segments.get(partition)
        return segments[-1].last + 1 if segments else None

    def append(self, partition: int, first: int, last: int, listens: pl.DataFrame) -> None:
        """Keep what was read from `first` to `last`, both included; `listens` are those of it that are listens.

        Raises ValueError when part of it is in the history already.
        """
        position = self.position(partition)
        if last < first or (position is not None and first < position):
            raise ValueError(f"partition {partition}: {first} to {last} does not follow {position}")
        path = self.folder / "listens" / str(partition) / f"{first:020d}-{last:020d}.parquet"
        write_private(path, partial(listens.write_parquet, compression="zstd"))
        self._segments.setdefault(partition, []).append(Segment(first, last, listens.height, path))

    def merge(self, neighbours: int) -> int:
        """Make one segment of every run of at least `neighbours` small ones without a gap; how many runs.

        Not while somebody reads `paths`: the parts are removed.
        """
        runs = 0
        for segments in self._segments.values():
            for run in _runs(segments, neighbours):
                merged = run[0].path.with_name(f"{run[0].first:020d}-{run[-1].last:020d}.parquet")
                whole = pl.concat([pl.read_parquet(part.path) for part in run])
                write_private(merged, partial(whole.write_parquet, compression="zstd"))
                at = segments.index(run[0])
                segments[at : at + len(run)] = [Segment(run[0].first, run[-1].last, whole.height, merged)]
                for part in run:  # killed here, the parts are found to be contained when the folder is next opened
                    part.path.unlink()
                runs += 1
        return runs

    def paths(self) -> list[Path]:
        """Every segment, by partition, then by offset: read one after another they are in each listener's order."""
        return [segment.path for _, segments in sorted(self._segments.items()) for segment in segments]

    def rows(self) -> int:
        """How many listens there are."""
        return sum(segment.rows for segments in self._segments.values() for segment in segments)

    def window(self) -> dict[str, Span]:
        """From the first to the last offset of each partition; `gaps` says what is missing between."""
        return {
            str(partition): Span(segments[0].first, segments[-1].last)
            for partition, segments in sorted(self._segments.items())
            if segments
        }

    def gaps(self) -> dict[str, list[Span]]:
        """Offsets that the log had dropped before they were read, by partition; only partitions that have any."""
        found = {
            str(partition): [
                Span(before.last + 1, after.first - 1)
                for before, after in pairwise(segments)
                if after.first > before.last + 1
            ]
            for partition, segments in sorted(self._segments.items())
        }
        return {partition: spans for partition, spans in found.items() if spans}


def read(paths: list[Path], columns: Collection[str] = tuple(LISTENS), days: float = 0.0) -> pl.DataFrame:
    """The listens of some segments, in their order; those of `columns` that they have.

    `days`: only from so many days before the newest on, the others are not even loaded; 0: all of them.
    """
    if not paths:
        return pl.DataFrame(schema=LISTENS).select(list(columns))
    there = pl.read_parquet_schema(paths[0])
    wanted = [name for name in columns if name in there]
    if not days:
        return pl.read_parquet(paths, columns=wanted)
    listens = pl.scan_parquet(paths)
    newest = listens.select(pl.col("listened_at").max()).collect().item()
    return listens.filter(pl.col("listened_at") > newest - days * DAY_MS).select(wanted).collect()


def _lock(folder: Path) -> IO[bytes]:
    file = (folder / ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Fatal(f"{folder}: another trainer is using this history; end it or set SEGUE_TRAINER_HISTORY") from error
    return file


def _prove(folder: Path, identity: Identity) -> None:
    path = folder / "identity.json"
    if not path.exists():
        if any((folder / "listens").glob("*/*.parquet")):
            raise Fatal(f"{path} is missing, so nobody knows which log these segments are of; move the folder away")
        write_whole(path, lambda aside: aside.write_bytes(msgspec.json.encode(identity)))
        return
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Identity)
    except msgspec.MsgspecError as error:
        raise Fatal(f"{path}: {error}; move the folder away, the history is then read from the log again") from error
    if found != identity:
        raise Fatal(
            f"{folder} is the history of topic {found.topic} ({found.topic_id}) of cluster {found.cluster}, but the "
            f"broker has topic {identity.topic} ({identity.topic_id}) of cluster {identity.cluster}: offsets mean "
            "nothing across the two. Point SEGUE_KAFKA_BOOTSTRAP at the old cluster, or SEGUE_TRAINER_HISTORY at a "
            "new folder"
        )


def _opened(part: Path) -> list[Segment]:
    """A partition's segments by offset. Drops those that a merge had taken in before it was killed."""
    segments: list[Segment] = []
    spans = [(*_span(path), path) for path in part.glob("*.parquet")]
    for first, last, path in sorted(spans, key=lambda span: (span[0], -span[1])):
        end = segments[-1].last if segments else -1
        if last <= end:
            path.unlink()
            log.info("removed %s, which a merged segment contains", path)
        elif first <= end:
            raise Fatal(f"{path} overlaps {segments[-1].path.name}; move {part.parent.parent} away and start again")
        else:
            segments.append(Segment(first, last, _rows(path), path))
    return segments


def _span(path: Path) -> tuple[int, int]:
    first, dash, last = path.stem.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise Fatal(f"{path} is not named <first offset>-<last offset>.parquet; move it away")
    return int(first), int(last)


def _rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fatal(
            f"{path} cannot be read ({error}); remove it and what follows it, the log is read again from there"
        ) from error


def _runs(segments: list[Segment], neighbours: int) -> list[list[Segment]]:
    """Runs of at least `neighbours` small segments, each following the one before without a gap."""
    runs: list[list[Segment]] = [[]]
    for segment in segments:
        if segment.rows >= SMALL:
            runs.append([])
        elif runs[-1] and (segment.first != runs[-1][-1].last + 1 or sum(s.rows for s in runs[-1]) >= SMALL):
            runs.append([segment])
        else:
            runs[-1].append(segment)
    return [run for run in runs if len(run) >= neighbours]
