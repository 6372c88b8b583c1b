"""What the trainer tells of the newest release is of that one alone."""

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from schemas.release import Gate, Manifest
from services.trainer.metrics import Metrics

FIRST = Manifest(
    release_id="r1", format=1, created_at=0, files={}, tracks=0, listeners=0, listens=0, window={}, settings={},
    metrics={"served": {"ndcg@100": 0.1}, "popular": {"ndcg@100": 0.3}, "seconds": {"als": 2.0, "audio": 900.0}},
    versions={}, gate=Gate(True, "", 9, {"popular": [-0.2, -0.3, -0.1]}, {}),
)  # fmt: skip
SECOND = replace(
    FIRST, release_id="r2", metrics={"seconds": {"als": 3.0}}, gate=Gate(True, "", 9, {"chain": [0.1, 0.0, 0.2]}, {})
)


def test_nothing_of_an_older_release_is_left() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    value = lambda name, **labels: registry.get_sample_value(f"segue_trainer_{name}", labels)  # noqa: E731  # shorter so
    metrics.released(FIRST)
    assert value("release_metric", model="popular", metric="ndcg@100") == 0.3
    assert (value("step_seconds", step="audio"), value("release_ahead", opponent="popular")) == (900.0, -0.2)
    metrics.released(SECOND)
    assert value("release_metric", model="popular", metric="ndcg@100") is None
    assert value("release_metric", model="served", metric="ndcg@100") is None
    assert (value("step_seconds", step="audio"), value("step_seconds", step="als")) == (None, 3.0)
    assert (value("release_ahead", opponent="popular"), value("release_ahead", opponent="chain")) == (None, 0.1)
