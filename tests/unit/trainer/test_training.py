"""The training's own process, and the office that starts it; a real child on a small history."""

import signal
import time
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from models import release
from models.als.settings import AlsSettings
from models.train import TrainSettings
from schemas.release import Gate, ReleaseAnnounced
from services.runtime.errors import BrokerAway
from services.trainer.columns import LISTENS, TRACKS
from services.trainer.history import History, Identity
from services.trainer.job import Job, Said
from services.trainer.metrics import Metrics
from services.trainer.office import Office
from services.trainer.settings import TrainerOptions
from services.trainer.training import Training
from services.trainer.trigger import Trigger

NOW = 1_700_000_000.0
SETTINGS = TrainSettings(als=AlsSettings(factors=2), threads=1)
LIMIT = 60.0  # seconds


class Board:
    """The `releases` topic, in memory; away while `away` > 0."""

    def __init__(self) -> None:
        self.said: list[ReleaseAnnounced] = []
        self.away = 0

    def newest(self) -> ReleaseAnnounced | None:
        return self.said[-1] if self.said else None

    def announce(self, release: ReleaseAnnounced) -> None:
        if self.away:
            self.away -= 1
            raise BrokerAway("no broker answers")
        self.said.append(release)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.options = TrainerOptions(history=str(folder / "history"), releases=str(folder / "releases"))
        self.history = History(folder / "history", Identity("c", "listens", "t"))
        rows = [
            {"offset": at, "appended_ms": 0, "event_id": f"e{at}", "user_id": f"u{at % 2}", "track_id": f"t{at}",
             "listened_at": int(NOW * 1000), "kind": "play", "scope": "track"}
            for at in range(6)
        ]  # fmt: skip
        self.history.append(0, 0, 5, pl.DataFrame(rows, schema=LISTENS))
        self.tracks = folder / "history" / "tracks.parquet"
        pl.DataFrame(schema=TRACKS).write_parquet(self.tracks)
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.board = Board()
        self.trigger = Trigger(self.options, NOW, 6, None)
        self.root = folder / "releases"

    def office(self) -> Office:
        office = Office(self.board, self.options, SETTINGS, self.metrics)
        office.begin(NOW)
        return office

    def wait(self, office: Office) -> None:
        deadline = time.monotonic() + LIMIT
        while office.training and time.monotonic() < deadline:
            office.listen(self.trigger, NOW + 1)
            time.sleep(0.02)
        assert not office.training


@pytest.fixture
def bench(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator fixture
    bench = Bench(tmp_path)
    yield bench
    bench.history.close()


def test_a_training_ends_in_a_release_in_force(bench: Bench) -> None:
    office = bench.office()
    assert office.since_newest(bench.history) == (6, None)
    bench.trigger.started()
    office.start(bench.history, bench.tracks, NOW, "test")
    bench.wait(office)
    [message] = bench.board.said
    loaded = release.load(Path(message.uri), message.sha256)
    assert loaded.manifest.listens == 6
    assert loaded.manifest.window == bench.history.window()
    assert message.release_id == loaded.id == "20231114-221320-000"
    assert bench.trigger.new == 0
    assert bench.office().since_newest(bench.history) == (0, NOW)
    assert bench.registry.get_sample_value("segue_trainer_trainings_total", {"result": "published"}) == 1
    assert bench.registry.get_sample_value("segue_trainer_release_timestamp_seconds") == NOW


def marked(folder: Path, gate: Gate) -> None:
    """Give a published release this verdict."""
    manifest = release.read_manifest(folder)
    (folder / release.MANIFEST).write_bytes(msgspec.json.encode(replace(manifest, gate=gate)))


def trained(bench: Bench, office: Office, now: float, gate: Gate) -> str:
    """Train to the end, its gate having said so; the release's id."""
    bench.trigger.started()
    office.start(bench.history, bench.tracks, now, "test")
    assert office._training is not None
    name, deadline = office._training.job.release_id, time.monotonic() + LIMIT
    while not (bench.root / name).exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    marked(bench.root / name, gate)  # before the office hears of it
    bench.wait(office)
    return name


def test_a_release_that_its_gate_holds_back_is_kept_and_not_announced(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    office = bench.office()
    first = trained(bench, office, NOW, Gate(promoted=True, reason="the first"))
    second = trained(bench, office, NOW + 10, Gate(promoted=False, reason="worse", ahead={"in_service": [-0.1, -1, 0]}))
    assert [message.release_id for message in bench.board.said] == [first]
    assert (bench.root / second).is_dir()
    assert "is not announced, the one in service stays" in caplog.text
    assert bench.trigger.new == 0  # what it had is not new any more: no training follows another
    assert bench.registry.get_sample_value("segue_trainer_gated_total", {"verdict": "held_back"}) == 1
    assert bench.registry.get_sample_value("segue_trainer_release_ahead", {"opponent": "in_service"}) == -0.1
    again = bench.office()  # nor is it after a restart
    assert [message.release_id for message in bench.board.said] == [first]
    assert again.since_newest(bench.history) == (0, NOW + 10)


def test_a_first_release_that_is_held_back_is_not_made_again_at_each_start(bench: Bench) -> None:
    trained(bench, bench.office(), NOW, Gate(promoted=False, reason="as popular"))
    assert bench.board.said == []
    assert bench.office().since_newest(bench.history) == (0, NOW)


def test_a_release_is_held_against_the_one_in_service_whoever_announced_it(bench: Bench) -> None:
    office = bench.office()
    first = trained(bench, office, NOW, Gate(promoted=True, reason="the first"))
    second = trained(bench, office, NOW + 10, Gate(promoted=True, reason="better"))
    bench.board.said.append(replace(bench.board.said[0], previous=second))  # somebody rolls back
    office.start(bench.history, bench.tracks, NOW + 20, "test")
    assert office._training is not None
    job = office._training.job
    assert (Path(job.service).name, job.service_sha256) == (first, bench.board.said[0].sha256)
    bench.wait(office)
    assert bench.board.said[-1].previous == first


def test_one_in_service_that_cannot_be_read_is_told_and_the_next_is_a_first_one(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    office = bench.office()
    first = trained(bench, office, NOW, Gate(promoted=True, reason="the first"))
    trained(bench, office, NOW + 10, Gate(promoted=True, reason="better"))
    assert "cannot be read" not in caplog.text
    (bench.root / bench.board.said[-1].release_id / release.FACTORS).write_bytes(b"altered")
    trained(bench, office, NOW + 20, Gate(promoted=True, reason="better"))
    assert "the release in service cannot be read" in caplog.text
    assert (bench.board.said[0].release_id, len(bench.board.said)) == (first, 3)


def test_a_training_that_fails_leaves_the_release_in_force(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.tracks.write_bytes(b"no parquet")
    office = bench.office()
    bench.trigger.started()
    office.start(bench.history, bench.tracks, NOW, "test")
    bench.wait(office)
    assert bench.board.said == []
    assert "training failed, the release in force stays" in caplog.text
    assert bench.trigger.new == 6
    assert bench.registry.get_sample_value("segue_trainer_last_training_failed") == 1


def test_a_training_that_is_killed_has_failed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    office = bench.office()
    office.start(bench.history, bench.tracks, NOW, "test")
    assert office._training is not None
    office._training._child.send_signal(signal.SIGKILL)
    bench.wait(office)
    assert "ended with -9" in caplog.text
    assert bench.board.said == []


def test_told_to_stop_it_leaves_no_working_folder(bench: Bench) -> None:
    office = bench.office()
    office.start(bench.history, bench.tracks, NOW, "test")
    aside = release.make_aside(bench.root / "x")
    begun = time.monotonic()
    office.stop()
    assert time.monotonic() - begun < 5
    assert not aside.exists()
    assert list(bench.root.iterdir()) == []
    assert not office.training


def test_a_release_is_announced_once_the_broker_is_back(bench: Bench) -> None:
    office = bench.office()
    office.start(bench.history, bench.tracks, NOW, "test")
    bench.board.away = 2
    away = 0
    deadline = time.monotonic() + LIMIT
    while office.training and time.monotonic() < deadline:
        try:
            office.listen(bench.trigger, NOW)
        except BrokerAway:
            away += 1
        time.sleep(0.02)
    assert away == 2
    assert len(bench.board.said) == 1


def test_a_release_made_but_not_announced_is_announced_at_the_next_start(bench: Bench) -> None:
    office = bench.office()
    office.start(bench.history, bench.tracks, NOW, "test")
    bench.wait(office)
    made = bench.board.said.pop()
    bench.office()
    assert [message.release_id for message in bench.board.said] == [made.release_id]
    bench.office()
    assert len(bench.board.said) == 1


def test_an_altered_release_is_not_announced(bench: Bench) -> None:
    office = bench.office()
    office.start(bench.history, bench.tracks, NOW, "test")
    bench.wait(office)
    made = bench.board.said.pop()
    (Path(made.uri) / release.FACTORS).write_bytes(b"altered")
    assert not bench.office().training
    assert bench.board.said == []


def test_a_child_says_how_far_it_is(bench: Bench) -> None:
    training = Training(Job("r", 0, [str(path) for path in bench.history.paths()], str(bench.tracks),
                            str(bench.root), {}, {}, SETTINGS, 0))  # fmt: skip
    said: list[Said] = []
    deadline = time.monotonic() + LIMIT
    while not (said and said[-1].folder) and time.monotonic() < deadline:
        said += training.news()
        time.sleep(0.02)
    training.stop()
    assert [one.step for one in said if one.done == 1.0][:5] == ["read", "check", "ranker", "repeat", "weigh"]
    assert release.check(Path(said[-1].folder)).release_id == "r"
