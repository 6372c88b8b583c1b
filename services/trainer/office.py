"""The trainings: begun in a process of their own, and their releases announced and, when old, removed."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from models import release
from models.train import TrainSettings
from schemas.release import ReleaseAnnounced
from services.trainer import releases
from services.trainer.history import History
from services.trainer.job import Job, Said
from services.trainer.metrics import Metrics
from services.trainer.settings import TrainerOptions
from services.trainer.training import Training
from services.trainer.trigger import Trigger

log = logging.getLogger(__name__)

TOLD_EVERY = 2.0  # seconds between two lines about one step


class Announcer(Protocol):
    """The `releases` topic; see services.trainer.kafka_releases.KafkaReleases."""

    def newest(self) -> ReleaseAnnounced | None:
        """The release in force."""

    def announce(self, release: ReleaseAnnounced) -> None:
        """Return once it is in force."""


class Office:
    """At most one training at a time. `begin` comes first."""

    def __init__(
        self,
        announcer: Announcer,
        options: TrainerOptions,
        settings: TrainSettings,
        metrics: Metrics,
        start: Callable[[Job], Training] = Training,
    ) -> None:
        self._announcer = announcer
        self._options = options
        self._settings = settings
        self._metrics = metrics
        self._start = start
        self._root = Path(options.releases)
        self._current: ReleaseAnnounced | None = None
        self._training: Training | None = None
        self._made: Path | None = None  # published, but not announced yet
        self._told = (0.0, "")

    def begin(self, now: float) -> None:
        """See what is in force, and finish what a killed trainer had begun. Raises BrokerAway."""
        self._root.mkdir(parents=True, exist_ok=True)
        for path in release.sweep(self._root):
            log.info("removed %s, left by a training that was killed", path)
        self._current = self._announcer.newest()
        self._made = releases.unannounced(self._root, self._current)
        if self._made:
            log.info("release %s was published but not announced", self._made.name)
            self._announce(now)

    @property
    def training(self) -> bool:
        """Whether one is under way, or made and not announced."""
        return self._training is not None or self._made is not None

    def since_newest(self, history: History) -> tuple[int, float | None]:
        """How many offsets no release has, and when the newest release was begun (seconds, epoch), None if never."""
        newest = next((found.manifest for found in releases.listing(self._root) if found.manifest), None)
        if newest is None or (self._current is None and releases.promoted(newest)):
            return history.rows(), None
        new = 0
        for partition, span in history.window().items():
            trained = newest.window.get(partition)
            new += max(0, span.last - (trained.last if trained else span.first - 1))
        return new, newest.created_at / 1000

    def start(self, history: History, tracks: Path, now: float, reason: str) -> None:
        """Begin a training on everything that is on disk. Raises BrokerAway."""
        self._current = self._announcer.newest()  # somebody may have promoted another, or rolled back
        made_at = datetime.fromtimestamp(now, UTC)
        job = Job(
            release_id=f"{made_at:%Y%m%d-%H%M%S}-{made_at.microsecond // 1000:03d}",
            now_ms=int(now * 1000),
            segments=[str(path) for path in history.paths()],
            tracks=str(tracks),
            root=str(self._root),
            window=history.window(),
            gaps=history.gaps(),
            settings=self._settings,
            nice=self._options.nice,
            days=self._options.learn_days,
            service=str(releases.folder_of(self._current)) if self._current else "",
            service_sha256=self._current.sha256 if self._current else "",
        )
        log.info("training %s on %d listens: %s", job.release_id, history.rows(), reason)
        self._training = self._start(job)

    def listen(self, trigger: Trigger, now: float) -> None:
        """Hear how the training goes; announce what it made. Raises BrokerAway; then call again."""
        if self._made:
            self._announce(now)
        if self._training is None:
            return
        for said in self._training.news():
            if said.error:
                self._ended(ok=False)
                trigger.failed(now)
                log.error("training failed, the release in force stays: %s", said.error)
            elif said.folder:
                trigger.succeeded(self._training.job.now_ms / 1000)
                self._ended(ok=True)
                self._judge(Path(said.folder), now)
            elif said.told:
                log.warning("training: %s", said.told)
            else:
                self._tell(said, now)

    def stop(self) -> None:
        """End a training that is under way, and remove what it left."""
        if self._training is None:
            return
        self._training.stop()
        self._training = None
        for path in release.sweep(self._root):
            log.info("removed %s, the training was ended", path)

    def _ended(self, ok: bool) -> None:
        if self._training:
            self._training.stop()
        self._training = None
        self._metrics.trained(ok)

    def _judge(self, folder: Path, now: float) -> None:
        """Announce a release that its gate lets through; another one is kept, for who wants to see why."""
        manifest = release.read_manifest(folder)
        if manifest.gate is not None:
            log.info("release %s: %s", manifest.release_id, manifest.gate.reason)
        if releases.promoted(manifest):
            self._made = folder
            self._announce(now)
            return
        self._metrics.held_back(manifest)
        log.warning("release %s is not announced, the one in service stays; `segue releases promote %s` overrules that",
                    manifest.release_id, manifest.release_id)  # fmt: skip
        self._prune()

    def _announce(self, now: float) -> None:
        if self._made is None:
            return
        folder = self._made
        try:
            message = releases.announcement(
                folder, int(now * 1000), self._current.release_id if self._current else None
            )
        except release.BadRelease as error:
            log.error("not announced, the release in force stays: %s", error)  # the text says all
            self._made = None
            return
        self._announcer.announce(message)
        self._current, self._made = message, None
        manifest = release.read_manifest(folder)
        self._metrics.released(manifest)
        log.info(
            "release %s is in force: %d tracks, %d listeners, %d listens",
            manifest.release_id, manifest.tracks, manifest.listeners, manifest.listens,
        )  # fmt: skip
        self._prune()

    def _prune(self) -> None:
        """Remove old releases, but neither the one in service nor the one to roll back to."""
        current = self._current
        needed = {current.release_id, current.previous or ""} if current else set()
        releases.prune(self._root, self._options.keep_releases, needed)

    def _tell(self, said: Said, now: float) -> None:
        at, step = self._told
        if said.step != step or now - at >= TOLD_EVERY:
            self._told = (now, said.step)
            log.info("training: %s %3.0f %%", said.step, 100 * said.done)
