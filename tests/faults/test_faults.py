"""A short, seeded part of `segue bench faults`: real servers and processes are hurt, nothing is lost or doubled."""

import asyncio

import pytest
from msgspec.structs import replace

from services.faults.app import Run
from services.faults.injuries import FAULTS
from services.faults.options import FaultOptions
from services.faults.result import Result
from services.runtime.errors import Fatal

QUICK = FaultOptions(seconds=1, rate=100.0, zombie_s=2.0, away_s=2.0, recover_s=60.0, every_s=3.0)


def hurt(*faults: str, guarded: bool = True, seconds: float = 1) -> Result:
    options = replace(QUICK, faults=faults, seconds=seconds, guarded=guarded)
    return asyncio.run(Run(options, print).run())


@pytest.mark.slow
def test_nothing_is_lost_or_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a user has set for servers of their own must not get in the way.
    for name, value in {"KAFKA_SECURITY": "SASL_SSL", "KAFKA_USER": "ann", "KAFKA_PASSWORD": "x"}.items():
        monkeypatch.setenv(f"SEGUE_{name}", value)
    monkeypatch.setenv("SEGUE_REDIS_CLUSTER", "true")
    faults = (
        "profiler_killed_committed", "profiler_killed_noticed", "scorer_killed", "redis_restored", "redis_flushed",
        "redis_cut", "kafka_killed", "bad_input", "too_large", "kafka_truncated",
    )  # fmt: skip
    result = hurt(*faults, seconds=90)
    assert [row.fault for row in result.faults if row.fault != "together"] == ["topics_missing", *faults]
    assert (result.lost, result.doubled, result.stale, result.undelivered, result.history_wrong) == (0, 0, 0, 0, 0)
    assert result.clean
    assert not any(row.late for row in result.faults)
    assert result.audited >= 100
    assert (result.unfound, result.crashed) == (0, 0)
    assert result.dead > 100
    assert result.gone > 0
    assert result.sent > 1_000
    assert result.lists > 0
    assert result.stop_s < 5


@pytest.mark.slow
def test_without_the_guard_the_audit_finds_doubles() -> None:
    result = hurt("profiler_killed", "profiler_killed_committed", guarded=False)
    assert result.doubled > 0
    assert not result.clean


def test_an_unknown_fault_is_refused_by_name() -> None:
    with pytest.raises(Fatal, match="no fault flood; there are: profiler_killed"):
        Run(FaultOptions(("flood",)), print)


def test_every_fault_says_what_it_is() -> None:
    assert all(fault.about and fault.name == name for name, fault in FAULTS.items())
