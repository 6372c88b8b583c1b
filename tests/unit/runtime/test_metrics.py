"""Shared parts of the services' metrics."""

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from services.runtime.metrics import LATENCY, forget_partition, process_registry


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
    forget_partition([Gauge("lag", "Lag.", ["partition"], registry=CollectorRegistry())], 3)


def test_two_milliseconds_and_a_half_fall_between_two_buckets() -> None:
    registry = CollectorRegistry()
    Histogram("latency_seconds", "Latency.", buckets=LATENCY, registry=registry).observe(0.0025)
    value = registry.get_sample_value
    assert value("latency_seconds_bucket", {"le": "0.002"}) == 0
    assert value("latency_seconds_bucket", {"le": "0.003"}) == 1
    assert list(LATENCY) == sorted(set(LATENCY))
    assert LATENCY[0] == 0.0005


def test_each_registry_is_its_own_and_tells_of_the_process() -> None:
    first, second = process_registry(), process_registry()
    Gauge("only_here", "Here.", registry=first)
    assert first is not second
    assert b"only_here" not in generate_latest(second)
    assert b"python_gc_objects_collected_total" in generate_latest(second)
