"""What the services' metrics share: buckets fine enough for milliseconds, and labels that go when partitions go."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from itertools import accumulate
from math import inf
from time import perf_counter
from typing import Any, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from services.runtime.http import Health

M = TypeVar("M", bound=MetricWrapperBase)

# Seconds. Prometheus's own begin at 5 ms, where a recommendation should already be made.
LATENCY = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# Seconds of one stage of a batch.
STAGE = (0.0001, 0.00025, *LATENCY[:-3])
# Messages a batch.
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)


def process_registry(health: Health) -> CollectorRegistry:
    """A registry of its own (not the global one) that already tells of the process: memory, CPU, files, GC, health."""
    registry = CollectorRegistry()
    registry.register(Conditions(health))
    Info("segue_build", "What runs.", registry=registry).info({"version": version("segue")})
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Conditions(Collector):
    """/readyz as a metric, so that an alert can say for how long a condition has not held."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The name, without asking the service."""
        return [self._family()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """1 for each condition that holds, 0 for each that does not."""
        family = self._family()
        for condition in self._health.ready().conditions:
            family.add_metric([condition.name], float(condition.ok))
        return [family]

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily("segue_condition_ok", "1 while a condition of /readyz holds.", labels=["condition"])


def from_zero(counter: Counter, *values: str) -> Counter:
    """A counter of one label that is there at 0 for each of its values: else the first increase of each goes unseen."""
    for value in values:
        counter.labels(value)
    return counter


def labelled(metric: M, value: str) -> M:
    """`metric.labels(value)`, looked up once. Not of one that is ever cleared: then a child counts for nobody."""
    found: M = _looked_up(metric, value)
    return found


@lru_cache(maxsize=1_024)
def _looked_up(metric: MetricWrapperBase, value: str) -> Any:  # a cached function forgets what kind it was given
    return metric.labels(value)


class Spread(Collector):
    """A histogram without labels that takes the values of a batch at once, in a fifth of the time of one by one."""

    def __init__(self, name: str, about: str, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._about, self._bounds = name, about, (*buckets, inf)
        self._counts, self._sum = [0] * len(self._bounds), 0.0
        registry.register(self)

    def observe(self, values: Sequence[float]) -> None:
        """Count these."""
        counts, bounds = self._counts, self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self._sum += sum(values)

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """The name."""
        return [HistogramMetricFamily(self._name, self._about)]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """What was counted so far."""
        reached = accumulate(self._counts)
        buckets = [
            ("+Inf" if bound == inf else str(float(bound)), float(count))
            for bound, count in zip(self._bounds, reached, strict=True)
        ]
        return [HistogramMetricFamily(self._name, self._about, buckets, self._sum)]


class ByPartition:
    """A gauge labelled `partition`, of the partitions that are ours now; written where it has changed."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._shown: dict[int, float] = {}

    def set(self, values: Mapping[int, float]) -> None:
        """These partitions have these values, and there are no others."""
        if values.keys() != self._shown.keys():
            self._gauge.clear()
            self._shown = {}
        for partition, value in values.items():
            if self._shown.get(partition) != value:
                self._gauge.labels(str(partition)).set(value)
        self._shown = dict(values)


def stopwatch(stages: Histogram) -> Callable[[str], None]:
    """A lap counter for a histogram labelled `stage`: call it with a stage's name as that stage ends."""
    last = perf_counter()

    def lap(stage: str) -> None:
        nonlocal last
        now = perf_counter()
        labelled(stages, stage).observe(now - last)
        last = now

    return lap


def forget_partition(metrics: Iterable[MetricWrapperBase], partition: int) -> None:
    """Drop a revoked partition's series from each metric labelled `partition`; else its last value stands for ever."""
    for metric in metrics:
        metric.remove_by_labels({"partition": str(partition)})
