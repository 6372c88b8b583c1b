"""The trainer: read, keep, and train when it is due.

One turn of the loop: poll → buffer (or the tracks' table) → segment → due? → a training in its own process → announce.
Nothing is acknowledged to Kafka: the history's folder is the position.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import polars as pl
from msgspec import Struct

from schemas.topics import LISTENS, TRACKS
from services.runtime.errors import Stopped, Transient
from services.runtime.http import Health
from services.trainer import columns
from services.trainer.history import History
from services.trainer.kafka_log import Batch, OutOfRange, Place
from services.trainer.metrics import Metrics
from services.trainer.office import Office
from services.trainer.patience import Patience
from services.trainer.settings import TrainerOptions
from services.trainer.tracks import Tracks
from services.trainer.trigger import Trigger

log = logging.getLogger(__name__)

POLL = 0.25  # seconds
LOOK = 1.0  # seconds between looks at the ends of the log
CAUGHT_UP = 1_000  # records behind that are still "caught up": a busy log has always a few


class Log(Protocol):
    """Both topics; see services.trainer.kafka_log.KafkaLog."""

    def begin(self, positions: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        """Read on at these offsets; the first and the end of each place."""

    def poll(self, timeout: float) -> list[Batch]:
        """What has come."""

    def ends(self) -> dict[Place, int]:
        """The next offset to be written, by place."""


class Buffer(Struct):
    """What was read of one partition and is not on disk: offsets `first` to before `next`."""

    first: int
    next: int
    frames: list[pl.DataFrame]
    rows: int = 0


class Trainer:
    """Ports: the log, the history and tracks on disk, the office that trains and announces. `now`: seconds, epoch."""

    def __init__(
        self,
        log: Log,
        history: History,
        tracks: Tracks,
        office: Office,
        trigger: Trigger,
        options: TrainerOptions,
        metrics: Metrics,
        health: Health,
        patient: Patience,
        now: Callable[[], float],
    ) -> None:
        self._log = log
        self._history = history
        self._tracks = tracks
        self._office = office
        self._trigger = trigger
        self._options = options
        self._metrics = metrics
        self._health = health
        self._patient = patient
        self._now = now
        self._buffers: dict[int, Buffer] = {}
        self._lost = True  # the consumer does not stand where the buffers end
        self._behind: dict[Place, int] = {}
        self._flushed = self._looked = 0.0

    def run(self, partitions: Mapping[str, int], stop: threading.Event) -> None:
        """Turn until `stop`; `partitions` is how many there are of each topic. Leaves everything read on disk."""
        for partition in range(partitions[LISTENS.name]):
            at = self._history.position(partition) or 0
            self._buffers[partition] = Buffer(at, at, [])
        for partition in range(partitions[TRACKS.name]):
            self._tracks.positions.setdefault(partition, 0)
        try:
            while not stop.is_set():
                self._patient(self._turn)
        except Stopped:
            log.info("told to stop while the broker is away")
        finally:
            self._office.stop()
            self._flush()
            self._tracks.save(int(self._now() * 1000))

    def _turn(self) -> None:
        try:
            self._once()
        except OutOfRange as error:
            log.warning("%s", error)
            self._lost = True
        except Transient:
            self._lost = True  # some partitions may have moved on with nothing handed over
            raise

    def _once(self) -> None:
        if self._lost:
            self._begin()
        new = sum(self._take(batch) for batch in self._log.poll(POLL))
        now = self._now()
        self._trigger.arrived(now, new)
        self._look(now)
        self._keep(now)
        if self._office.training:
            self._office.listen(self._trigger, now)
        else:
            self._train_if_due(now)
        self._health.beat()

    def _begin(self) -> None:
        """Stand where the buffers end; what the log has dropped meanwhile is a gap, and told."""
        positions: dict[Place, int] = {
            (LISTENS.name, partition): buffer.next for partition, buffer in self._buffers.items()
        }
        positions |= {(TRACKS.name, partition): at for partition, at in self._tracks.positions.items()}
        for place, (first, end) in self._log.begin(positions).items():
            topic, partition = place
            self._behind[place] = end - max(first, positions[place])
            if topic == LISTENS.name and first > positions[place]:
                self._gap(partition, positions[place], first)
        self._lost = False
        self._health.set("kafka", True)

    def _gap(self, partition: int, wanted: int, first: int) -> None:
        if self._history.position(partition) is not None or self._buffers[partition].rows:
            log.warning(
                "listens-%d: offsets %d to %d were dropped by the log before they were read; they are missing from the "
                "history for good. Is the topic's retention too short?", partition, wanted, first - 1,
            )  # fmt: skip
        self._flush_partition(partition)
        self._buffers[partition] = Buffer(first, first, [])

    def _take(self, batch: Batch) -> int:
        if batch.topic == TRACKS.name:
            tracks, poison = columns.tracks(batch.records)
            self._tracks.take(batch.partition, batch.next, tracks)
            self._metrics.described(tracks.height, poison)
            return 0
        buffer = self._buffers[batch.partition]
        records = [record for record in batch.records if record.offset >= buffer.next]
        listens, poison = columns.listens(records)
        buffer.frames.append(listens)
        buffer.rows += listens.height
        buffer.next = max(buffer.next, batch.next)
        self._metrics.read(listens.height, poison)
        return listens.height

    def _look(self, now: float) -> None:
        """See how far behind the reading is."""
        if now - self._looked < LOOK:
            return
        self._looked = now
        at = {(LISTENS.name, partition): buffer.next for partition, buffer in self._buffers.items()}
        at |= {(TRACKS.name, partition): position for partition, position in self._tracks.positions.items()}
        self._behind = {place: max(0, end - at[place]) for place, end in self._log.ends().items()}
        self._metrics.lag(self._behind)
        self._metrics.history(self._history.rows(), len(self._history.paths()), self._trigger.new)

    def _keep(self, now: float) -> None:
        """Write what has waited long enough."""
        rows = sum(buffer.rows for buffer in self._buffers.values())
        if rows < self._options.flush_listens and now - self._flushed < self._options.flush_seconds:
            return
        self._flush()
        self._flushed = now
        if not self._office.training:  # a training reads the very files
            self._history.merge(self._options.merge_segments)

    def _flush(self) -> None:
        for partition in self._buffers:
            self._flush_partition(partition)

    def _flush_partition(self, partition: int) -> None:
        buffer = self._buffers[partition]
        if buffer.next > buffer.first:
            listens = pl.concat(buffer.frames) if buffer.frames else pl.DataFrame(schema=columns.LISTENS)
            self._history.append(partition, buffer.first, buffer.next - 1, listens)
            self._buffers[partition] = Buffer(buffer.next, buffer.next, [])

    def _train_if_due(self, now: float) -> None:
        total = self._history.rows() + sum(buffer.rows for buffer in self._buffers.values())
        reason = self._trigger.due(now, total, sum(self._behind.values()) > CAUGHT_UP)
        if reason is None:
            return
        self._flush()
        self._trigger.started()
        self._office.start(self._history, self._tracks.save(int(now * 1000)), now, reason)
