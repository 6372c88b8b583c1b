"""The trainer's loop over a log in memory that can fail, skip and drop; the history is a real folder."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from schemas.codec import encode
from schemas.events import Listen
from schemas.release import Span
from schemas.track import Track
from services.runtime.errors import BrokerAway
from services.runtime.http import Health
from services.trainer.app import Trainer
from services.trainer.columns import Record
from services.trainer.history import History, Identity, read
from services.trainer.kafka_log import Batch, OutOfRange, Place
from services.trainer.metrics import Metrics
from services.trainer.office import Office
from services.trainer.patience import Patience
from services.trainer.settings import TrainerOptions
from services.trainer.tracks import Tracks
from services.trainer.trigger import Trigger

NOW = 1_700_000_000.0
IDENTITY = Identity("cluster", "listens", "topic")


def listen(offset: int, user: str = "u") -> Record:
    value = Listen(event_id=f"{user}{offset}", user_id=user, track_id="t", listened_at=int(NOW * 1000))
    return Record(offset, int(NOW * 1000), user.encode(), encode(value))


class MemoryLog:
    """Records by place; `first` are the oldest offsets it still has, `trouble` is raised by the next polls."""

    def __init__(self, stop: threading.Event, records: Mapping[Place, list[Record]]) -> None:
        self.records = dict(records)
        self.first: dict[Place, int] = {}
        self.trouble: list[Exception] = []
        self.begun: list[dict[Place, int]] = []
        self.on_idle: Callable[[], None] = stop.set
        self._at: dict[Place, int] = {}

    def _end(self, place: Place) -> int:
        records = self.records.get(place, [])
        return records[-1].offset + 1 if records else 0

    def begin(self, positions: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        self.begun.append(dict(positions))
        self._at = {place: max(at, self.first.get(place, 0)) for place, at in positions.items()}
        return {place: (self.first.get(place, 0), self._end(place)) for place in positions}

    def poll(self, timeout: float) -> list[Batch]:
        del timeout  # nothing is waited for
        batches = []
        for place, at in self._at.items():
            waiting = [record for record in self.records.get(place, []) if record.offset >= at][:2]
            if waiting:
                self._at[place] = waiting[-1].offset + 1
                batches.append(Batch(*place, self._at[place], waiting))
        if self.trouble:
            raise self.trouble.pop(0)  # after the positions have moved, as a real client may
        if not batches:
            self.on_idle()
        return batches

    def ends(self) -> dict[Place, int]:
        return {place: self._end(place) for place in self._at}


class NoOffice(Office):
    """Notes what it is asked to train on."""

    def __init__(self) -> None:
        self.started: list[tuple[int, dict[str, Span]]] = []
        self.stopped = False

    @property
    def training(self) -> bool:
        return False

    def start(self, history: History, tracks: Path, now: float, reason: str) -> None:
        del now, reason
        assert tracks.is_file()
        self.started.append((history.rows(), history.window()))

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """A trainer with everything around it."""

    def __init__(self, folder: Path, records: Mapping[Place, list[Record]], **options: int) -> None:
        self.stop = threading.Event()
        self.log = MemoryLog(self.stop, records)
        self.office = NoOffice()
        self.options = TrainerOptions(**{"every_listens": 10**6, "min_listens": 10**6, **options})  # type: ignore[arg-type]  # numbers only
        self.folder = folder
        self.clock = NOW
        self.registry = CollectorRegistry()

    def now(self) -> float:
        self.clock += 1.0
        return self.clock

    def run(self) -> History:
        metrics, health = Metrics(self.registry), Health("kafka", clock=lambda: 0.0)
        history = History(self.folder, IDENTITY)
        trainer = Trainer(
            log=self.log,
            history=history,
            tracks=Tracks(self.folder, "tracks", int(NOW * 1000)),
            office=self.office,
            trigger=Trigger(self.options, self.clock, history.rows(), None),
            options=self.options,
            metrics=metrics,
            health=health,
            patient=Patience(self.stop, metrics, health),
            now=self.now,
        )
        try:
            trainer.run({"listens": 2, "tracks": 1}, self.stop)
        finally:
            history.close()
        return history


LOG: dict[Place, list[Record]] = {
    ("listens", 0): [listen(at) for at in range(7)],
    ("listens", 1): [listen(at, "v") for at in range(3)],
    ("tracks", 0): [Record(0, 0, b"t", encode(Track("t", "T", "A")))],
}


def offsets(history: History) -> list[int]:
    return read(history.paths())["offset"].to_list()


def test_everything_read_is_on_disk_when_it_is_told_to_stop(tmp_path: Path) -> None:
    bench = Bench(tmp_path, LOG)
    history = bench.run()
    assert offsets(history) == [*range(7), *range(3)]
    assert history.window() == {"0": Span(0, 6), "1": Span(0, 2)}
    assert bench.office.stopped
    assert Tracks(tmp_path, "tracks", int(NOW * 1000)).table()["title"].to_list() == ["T"]


def test_a_restart_reads_on_where_the_folder_ends(tmp_path: Path) -> None:
    Bench(tmp_path, LOG).run()
    more = {**LOG, ("listens", 0): [listen(at) for at in range(9)]}
    bench = Bench(tmp_path, more)
    history = bench.run()
    assert bench.log.begun == [{("listens", 0): 7, ("listens", 1): 3, ("tracks", 0): 1}]
    assert offsets(history) == [*range(9), *range(3)]


def test_a_broker_that_goes_away_in_the_midst_of_a_poll_loses_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, LOG)
    bench.log.trouble = [BrokerAway("gone"), BrokerAway("still gone")]
    assert offsets(bench.run()) == [*range(7), *range(3)]
    assert len(bench.log.begun) == 3
    assert bench.registry.get_sample_value("segue_trainer_retries_total", {"error": "BrokerAway"}) == 2


def test_poison_is_counted_and_its_offset_not_read_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {("listens", 0): [listen(0), Record(1, 0, b"u", b"{"), Record(2, 0, None, None)]})
    history = bench.run()
    assert offsets(history) == [0]
    assert history.position(0) == 3
    sample = bench.registry.get_sample_value
    assert sample("segue_trainer_poison_total", {"topic": "listens", "cause": "bad-json"}) == 1
    assert sample("segue_trainer_listens_total") == 1


def test_what_the_log_dropped_unread_is_a_gap_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Bench(tmp_path, LOG).run()
    bench = Bench(tmp_path, {**LOG, ("listens", 0): [listen(at) for at in (20, 21)]})
    bench.log.first = {("listens", 0): 20}
    history = bench.run()
    assert "offsets 7 to 19 were dropped" in caplog.text
    assert history.gaps() == {"0": [Span(7, 19)]}
    assert offsets(history) == [*range(7), 20, 21, *range(3)]


def test_a_log_that_begins_late_is_no_loss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, {("listens", 0): [listen(20)]})
    bench.log.first = {("listens", 0): 20}
    history = bench.run()
    assert history.window() == {"0": Span(20, 20)}
    assert history.gaps() == {}
    assert "dropped" not in caplog.text


def test_offsets_dropped_while_it_runs_are_a_gap_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {("listens", 0): [listen(at) for at in range(3)]})

    def drop() -> None:
        bench.log.records[("listens", 0)] = [listen(at) for at in (8, 9)]
        bench.log.first = {("listens", 0): 8}
        bench.log.trouble = [OutOfRange("3")]
        bench.log.on_idle = bench.stop.set

    bench.log.on_idle = drop
    history = bench.run()
    assert offsets(history) == [0, 1, 2, 8, 9]
    assert history.gaps() == {"0": [Span(3, 7)]}


def test_holes_in_the_log_are_no_gaps(tmp_path: Path) -> None:
    """A transaction's marks take offsets but are never handed over."""
    history = Bench(tmp_path, {("listens", 0): [listen(at) for at in (0, 1, 5, 9)]}, flush_listens=1).run()
    assert history.gaps() == {}
    assert history.window() == {"0": Span(0, 9)}


def test_a_training_gets_everything_that_was_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, LOG, min_listens=10)
    idle = iter([None] * 10)
    bench.log.on_idle = lambda: None if next(idle, bench) is None else bench.stop.set()
    bench.run()
    assert bench.office.started[0] == (10, {"0": Span(0, 6), "1": Span(0, 2)})


def test_small_segments_are_merged_as_it_goes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, LOG, flush_listens=1, merge_segments=2)
    history = bench.run()
    assert len(history.paths()) == 2
    assert offsets(history) == [*range(7), *range(3)]
