"""Shared parts of the services' metrics."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from services.runtime.http import Health
from services.runtime.metrics import (
    BATCH,
    LATENCY,
    ByPartition,
    Spread,
    forget_partition,
    from_zero,
    labelled,
    process_registry,
    stopwatch,
)


def test_a_revoked_partitions_series_go_and_the_others_stay() -> None:
    registry = CollectorRegistry()
    lag = Gauge("lag", "Lag.", ["topic", "partition"], registry=registry)
    cursor = Gauge("cursor", "Cursor.", ["partition"], registry=registry)
    for partition in (1, 11):
        lag.labels("listens", partition).set(7)
        lag.labels("tracks", partition).set(7)
        cursor.labels(partition).set(7)
    forget_partition([lag, cursor], 1)
    text = generate_latest(registry).decode()
    assert 'partition="1"' not in text
    assert text.count('partition="11"') == 3


def test_a_partition_never_seen_may_be_forgotten() -> None:
    registry = CollectorRegistry()
    lag = Gauge("lag", "Lag.", ["partition"], registry=registry)
    lag.labels(4).set(7)
    forget_partition([lag], 3)
    assert registry.get_sample_value("lag", {"partition": "4"}) == 7


def test_two_milliseconds_and_a_half_fall_between_two_buckets() -> None:
    registry = CollectorRegistry()
    Histogram("latency_seconds", "Latency.", buckets=LATENCY, registry=registry).observe(0.0025)
    value = registry.get_sample_value
    assert value("latency_seconds_bucket", {"le": "0.002"}) == 0
    assert value("latency_seconds_bucket", {"le": "0.003"}) == 1
    assert list(LATENCY) == sorted(set(LATENCY))
    assert LATENCY[0] == 0.0005


def test_values_counted_at_once_are_told_as_one_by_one() -> None:
    alone, together = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram("latency_seconds", "Latency.", buckets=BATCH, registry=alone)
    spread = Spread("latency_seconds", "Latency.", BATCH, together)
    for values in ([], [1.0], [0.0, 1.0, 1.5, 2.0, 4_999.0, 5_000.0, 5_001.0]):
        spread.observe(values)
        for value in values:
            histogram.observe(value)
        told = [line for line in generate_latest(alone).decode().splitlines() if "_created" not in line]
        assert generate_latest(together).decode().splitlines() == told
    with pytest.raises(ValueError, match="Duplicated"):
        Spread("latency_seconds", "Latency.", BATCH, together)


def test_each_registry_is_its_own_and_tells_of_the_process() -> None:
    health = Health("redis", clock=lambda: 0.0)
    first, second = process_registry(health), process_registry(health)
    Gauge("only_here", "Here.", registry=first)
    assert first is not second
    assert b"only_here" not in generate_latest(second)
    assert b"python_gc_objects_collected_total" in generate_latest(second)


def test_what_readyz_says_is_a_metric() -> None:
    health = Health("redis", "kafka", clock=lambda: 0.0)
    registry = process_registry(health)
    health.set("redis", ok=True)

    def value(condition: str) -> float | None:
        return registry.get_sample_value("segue_condition_ok", {"condition": condition})

    assert [value(name) for name in ("loop", "redis", "kafka")] == [1.0, 1.0, 0.0]
    health.set("redis", ok=False, reason="away")
    assert value("redis") == 0.0


def test_a_counter_of_known_labels_is_there_at_zero() -> None:
    registry = CollectorRegistry()
    from_zero(Counter("letters", "Letters.", ["cause"], registry=registry), "empty", "future").labels("empty").inc()
    assert registry.get_sample_value("letters_total", {"cause": "future"}) == 0.0
    assert registry.get_sample_value("letters_total", {"cause": "empty"}) == 1.0


def test_a_gauge_by_partition_has_the_partitions_at_hand_and_no_others() -> None:
    registry = CollectorRegistry()
    lag = ByPartition(Gauge("lag", "Lag.", ["partition"], registry=registry))
    value = registry.get_sample_value
    for values in ({1: 7.0, 2: 8.0}, {1: 9.0, 2: 8.0}, {2: 8.0, 3: 0.0}):
        lag.set(values)
        assert {number: value("lag", {"partition": str(number)}) for number in values} == values
    assert value("lag", {"partition": "1"}) is None
    lag.set({})
    assert value("lag", {"partition": "2"}) is None
    lag.set({2: 8.0})
    assert value("lag", {"partition": "2"}) == 8.0


def test_what_has_not_changed_is_not_written_again() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("lag", "Lag.", ["partition"], registry=registry)
    lag = ByPartition(gauge)
    lag.set({1: 7.0, 2: 7.0})
    for partition in ("1", "2"):
        gauge.labels(partition).set(99)  # to be seen whether it is written
    lag.set({1: 7.0, 2: 8.0})
    assert registry.get_sample_value("lag", {"partition": "1"}) == 99
    assert registry.get_sample_value("lag", {"partition": "2"}) == 8


def test_a_lap_is_of_the_stage_that_ends() -> None:
    registry = CollectorRegistry()
    stages = Histogram("stage_seconds", "Stages.", ["stage"], registry=registry)
    for _ in range(2):
        lap = stopwatch(stages)
        lap("read")
        lap("rank")
        lap("rank")
    assert registry.get_sample_value("stage_seconds_count", {"stage": "read"}) == 2
    assert registry.get_sample_value("stage_seconds_count", {"stage": "rank"}) == 4


def test_a_child_is_looked_up_once_and_counts_where_it_belongs() -> None:
    one, other = CollectorRegistry(), CollectorRegistry()
    for registry in (one, other):
        items = Counter("items", "Items.", ["source"], registry=registry)
        assert labelled(items, "als") is labelled(items, "als")
        labelled(items, "als").inc(2)
    assert one.get_sample_value("items_total", {"source": "als"}) == 2
    assert other.get_sample_value("items_total", {"source": "als"}) == 2
