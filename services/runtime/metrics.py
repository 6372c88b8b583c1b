"""What the services' metrics share: buckets fine enough for milliseconds, and labels that go when partitions go."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

# Seconds. Prometheus's own begin at 5 ms, where a recommendation should already be made.
LATENCY = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# Messages a batch.
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


def process_registry() -> CollectorRegistry:
    """A registry of its own (not the global one) that already tells of the process: memory, CPU, files, GC."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def forget_partition(metrics: Iterable[MetricWrapperBase], partition: int) -> None:
    """Drop a revoked partition's series from each metric labelled `partition`; else its last value stands for ever."""
    for metric in metrics:
        metric.remove_by_labels({"partition": str(partition)})
