"""`segue import`: files to the topics `listens` and `tracks`, every event once, however often it is run."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct, field
from rich.console import Console

from schemas.topics import LISTENS, TRACKS
from services.importer.catalogue import read_tracks
from services.importer.catch_up import catch_up_events, catch_up_tracks
from services.importer.formats import Format, expand
from services.importer.ledger import EventLedger, TrackLedger
from services.importer.loading import MEMORY_ROWS, Chunk, Gathering, admitted, chunks
from services.importer.progress import Meter
from services.importer.report import SHOWN, Problem, Report
from services.importer.rows import Options
from services.importer.sending import send_listens, send_tracks
from services.importer.state import locked, state_folder
from services.runtime.bulk_producer import BulkProducer, Codec
from services.runtime.errors import Fatal
from services.runtime.kafka_clients import admin, kafka_trouble
from services.runtime.settings import KafkaSettings


class Summary(Struct):
    """What an import did, or, for a check, what one would find."""

    listens: int = 0  # good ones in the files
    tracks: int = 0  # in the files, or known from the listens; once each (once a chunk, if there are several)
    sent: int = 0  # listens the broker has acknowledged
    tracks_sent: int = 0
    already: int = 0  # listens that were in the topic before, or come twice in the files
    bad: int = 0  # lines, rows or files that could not be taken in
    left_out: dict[str, int] = field(default_factory=dict)  # why -> rows that are no listens: podcasts…
    labels: dict[str, dict[str, int]] = field(default_factory=dict)  # of recordings: task -> class -> how many have it
    chunks: int = 0  # over 1: more than memory holds, so in order of time only within each chunk
    seconds: float = 0.0
    per_second: float = 0.0  # listens, over everything: reading, catching up, sending

    @property
    def exit_status(self) -> int:
        """1 when nothing could be taken in and something was wrong."""
        return int(self.bad > 0 and not self.listens and not self.tracks)


class Cluster(Struct, frozen=True):
    """Which log this is: ids that change when a cluster or a topic is made anew."""

    cluster_id: str
    topic_ids: dict[str, str]
    partitions: dict[str, int]

    def ledger(self, folder: Path, topic: str) -> Path:
        """The file of a topic's ledger."""
        return folder / self.cluster_id / f"{topic}-{self.topic_ids[topic]}.npz"


def check(
    files: Sequence[Path],
    options: Options,
    *,
    form: Format | None = None,
    track_files: Sequence[Path] = (),
    tell: Callable[[Problem], None] | None = None,
) -> Summary:
    """Read everything, tell every problem, send nothing. Raises NoSuchFile and BadOption; exit with 1 if `bad`."""
    began = time.monotonic()
    report = Report(tell, limit=None)
    summary = Summary()
    for file in expand(track_files):
        summary.tracks += read_tracks(file, options, report).height
    for chunk in chunks(files, form, options, report) if files else ():
        _count(summary, chunk)
    return _ended(summary, report, began)


def run(
    files: Sequence[Path],
    settings: KafkaSettings,
    options: Options,
    *,
    form: Format | None = None,
    track_files: Sequence[Path] = (),
    state: Path | None = None,
    compression: Codec | None = None,
    tell: Callable[[Problem], None] | None = None,
    shown: int | None = SHOWN,
    console: Console | None = None,
    memory_rows: int = MEMORY_ROWS,
) -> Summary:
    """Import the files (`form` None: told from each) and whole tracks from `track_files`.

    `state` is where the ledgers are (None: SEGUE_STATE or the user's state folder). Problems are told as they are
    found, at most `shown`. Raises NoSuchFile, BadOption, BadSetting, BrokerAway (run it again) and Fatal. Whatever
    ends it, also Ctrl-C or a kill: the next run goes on where it stopped.
    """
    began = time.monotonic()
    report = Report(tell, shown)
    expand([*files, *track_files])  # a misspelt name is told before anything is sent
    cluster = identify(settings)
    folder = (state or state_folder(os.environ)) / "import"
    with locked(folder / cluster.cluster_id), Meter(console) as meter:
        events = EventLedger(cluster.ledger(folder, LISTENS.name))
        tracks = TrackLedger(cluster.ledger(folder, TRACKS.name))
        work = _Work(settings, cluster, events, tracks, report, meter, compression)
        try:
            asyncio.run(work.run(files, form, track_files, options, memory_rows))
        finally:
            events.save()
            tracks.save()
    return _ended(work.summary, report, began)


def identify(settings: KafkaSettings) -> Cluster:
    """The cluster and its topics. Raises BrokerAway, and Fatal when the topics are not there."""
    names = [LISTENS.name, TRACKS.name]
    with admin(settings) as client, kafka_trouble("looking at the topics"):
        cluster_id = str(client.describe_cluster()["cluster_id"])
        found = {topic["name"]: topic for topic in client.describe_topics() if topic["name"] in names}
    missing = [name for name in names if name not in found]
    if missing:
        raise Fatal(f"the broker at {settings.bootstrap} has no topic {missing[0]}; run `segue topics apply` first")
    return Cluster(
        cluster_id,
        {name: str(topic["topic_id"]) for name, topic in found.items()},
        {name: len(topic["partitions"]) for name, topic in found.items()},
    )


class _Work:
    """One import under way."""

    def __init__(
        self,
        settings: KafkaSettings,
        cluster: Cluster,
        events: EventLedger,
        tracks: TrackLedger,
        report: Report,
        meter: Meter,
        compression: Codec | None,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._events = events
        self._tracks = tracks
        self._report = report
        self._meter = meter
        self._compression = compression
        self.summary = Summary()

    async def run(
        self, files: Sequence[Path], form: Format | None, track_files: Sequence[Path], options: Options, most: int
    ) -> None:
        """Catch the ledgers up, then send: tracks first, then the listens that are about them."""
        step = self._step("reading the log of listens")
        await catch_up_events(self._settings, LISTENS.name, self._cluster.partitions[LISTENS.name], self._events, step)
        step = self._step("reading the log of tracks")
        await catch_up_tracks(self._settings, TRACKS.name, self._cluster.partitions[TRACKS.name], self._tracks, step)
        async with (
            BulkProducer(self._settings, LISTENS.name, compression=self._compression) as listens,
            BulkProducer(self._settings, TRACKS.name, compression=self._compression) as tracks,
        ):
            for file in expand(track_files):
                whole = read_tracks(file, options, self._report)
                self.summary.tracks += whole.height
                await self._send_tracks(whole, True, tracks)
            async for chunk in self._chunks(files, form, options, most):
                _count(self.summary, chunk)
                await self._send_tracks(chunk.given, True, tracks)
                await self._send_tracks(chunk.tracks, False, tracks)
                await self._send_listens(chunk.listens, listens)

    async def _chunks(
        self, files: Sequence[Path], form: Format | None, options: Options, most: int
    ) -> AsyncIterator[Chunk]:
        """Like loading.chunks, but the event loop, and so Ctrl-C, gets its turn after every batch."""
        gathering = Gathering(most)
        self._meter.begin("reading", None)
        for listens, tracks in admitted(files, form, options, self._report) if files else ():
            self._meter.advance(listens.height)
            await asyncio.sleep(0)
            if chunk := gathering.add(listens, tracks):
                yield chunk
                self._meter.begin("reading", None)
        if last := gathering.end():
            yield last

    async def _send_listens(self, listens: pl.DataFrame, producer: BulkProducer) -> None:
        sent = await send_listens(listens, producer, self._events, self._meter)
        self.summary.sent += sent
        self.summary.already += listens.height - sent

    async def _send_tracks(self, tracks: pl.DataFrame, whole: bool, producer: BulkProducer) -> None:
        self.summary.tracks_sent += await send_tracks(tracks, whole, producer, self._tracks, self._report, self._meter)

    def _step(self, what: str) -> Callable[[int, int], None]:
        def at(done: int, total: int) -> None:
            if self._meter.what != what:
                self._meter.begin(what, total)
            self._meter.at(done)

        return at


def _count(summary: Summary, chunk: Chunk) -> None:
    summary.chunks += 1
    summary.listens += chunk.listens.height
    summary.tracks += chunk.given.height + chunk.tracks.height


def _ended(summary: Summary, report: Report, began: float) -> Summary:
    summary.bad = report.bad
    summary.left_out = dict(report.left_out)
    summary.labels = {task: dict(counted.most_common()) for task, counted in report.labels.items()}
    summary.seconds = time.monotonic() - began
    summary.per_second = summary.listens / max(summary.seconds, 1e-9)
    return summary
