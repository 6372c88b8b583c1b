"""What the trainer counts. Names: docs/metrics.md."""

from collections import Counter as Tally
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.errors import CAUSES
from schemas.release import Manifest
from schemas.topics import LISTENS, TRACKS
from services.runtime.metrics import from_zero


class Metrics:
    """Counters and gauges of one trainer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._read = Counter("segue_trainer_listens", "Listens read.", registry=registry)
        self._tracks = Counter("segue_trainer_tracks", "Changes of tracks read.", registry=registry)
        self._poison = Counter("segue_trainer_poison", "Records left out.", ["topic", "cause"], registry=registry)
        self._retries = Counter("segue_trainer_retries", "Calls tried again.", ["error"], registry=registry)
        self._lag = Gauge(
            "segue_trainer_lag_records", "Records not yet read.", ["topic", "partition"], registry=registry
        )
        self._rows = Gauge("segue_trainer_history_listens", "Listens in the history.", registry=registry)
        self._segments = Gauge("segue_trainer_history_segments", "Segments of the history.", registry=registry)
        self._new = Gauge("segue_trainer_new_listens", "Listens that no release has.", registry=registry)
        self._trainings = Counter("segue_trainer_trainings", "Trainings ended.", ["result"], registry=registry)
        self._seconds = Gauge("segue_trainer_step_seconds", "Newest training, by step.", ["step"], registry=registry)
        self._created = Gauge(
            "segue_trainer_release_timestamp_seconds", "When the newest release was begun.", registry=registry
        )
        self._quality = Gauge(
            "segue_trainer_release_metric",
            "Newest release on held-out listens.",
            ["model", "metric"],
            registry=registry,
        )
        from_zero(self._retries, "BrokerAway")
        from_zero(self._trainings, "published", "failed")
        self._gated = Counter("segue_trainer_gated", "Releases judged before they are announced.", ["verdict"],
                              registry=registry)  # fmt: skip
        from_zero(self._gated, "promoted", "held_back")
        for topic in (LISTENS.name, TRACKS.name):
            self._left_out(topic, Tally(dict.fromkeys(CAUSES, 0)))
        self._ahead = Gauge(
            "segue_trainer_release_ahead", "Newest release's NDCG@100 less the opponent's, held-out listens.",
            ["opponent"], registry=registry,
        )  # fmt: skip
        self._failed = Gauge("segue_trainer_last_training_failed", "1 if the last one did.", registry=registry)

    def read(self, listens: int, poison: Tally[str]) -> None:
        """Records of `listens` were read."""
        self._read.inc(listens)
        self._left_out(LISTENS.name, poison)

    def described(self, tracks: int, poison: Tally[str]) -> None:
        """Records of `tracks` were read."""
        self._tracks.inc(tracks)
        self._left_out(TRACKS.name, poison)

    def _left_out(self, topic: str, poison: Tally[str]) -> None:
        for cause, count in poison.items():
            self._poison.labels(topic, cause).inc(count)

    def retried(self, error: str) -> None:
        """A call is tried again."""
        self._retries.labels(error).inc()

    def history(self, listens: int, segments: int, new: int) -> None:
        """What is on disk."""
        self._rows.set(listens)
        self._segments.set(segments)
        self._new.set(new)

    def lag(self, behind: Mapping[tuple[str, int], int]) -> None:
        """What is still to be read, by topic and partition."""
        for (topic, partition), records in behind.items():
            self._lag.labels(topic, str(partition)).set(records)

    def held_back(self, manifest: Manifest) -> None:
        """A release was made and not let through its gate."""
        self._judged(manifest, "held_back")

    def _judged(self, manifest: Manifest, verdict: str) -> None:
        self._ahead.clear()  # of this verdict only: the next may be over others, or there may be none
        if manifest.gate is not None:
            self._gated.labels(verdict).inc()
            for opponent, (mean, _, _) in manifest.gate.ahead.items():
                self._ahead.labels(opponent).set(mean)

    def released(self, manifest: Manifest) -> None:
        """A release is in force."""
        self._judged(manifest, "promoted")
        self._created.set(manifest.created_at / 1000)
        self._seconds.clear()  # what an older release had and this one has not is no news of the newest
        self._quality.clear()
        for step, seconds in manifest.metrics.get("seconds", {}).items():
            self._seconds.labels(step).set(seconds)
        for model, values in manifest.metrics.items():
            if model != "seconds":
                for name, value in values.items():
                    self._quality.labels(model, name).set(value)

    def trained(self, ok: bool) -> None:
        """A training ended."""
        self._trainings.labels("published" if ok else "failed").inc()
        self._failed.set(0 if ok else 1)
