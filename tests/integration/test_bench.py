"""The benchmarks run from end to end, small; what they measure here is not looked at, but that it was measured."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 300


def bench(*words: str) -> Any:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "bench", *words, "--json"], capture_output=True, text=True,
        timeout=LIMIT_S, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.slow
def test_freshness() -> None:
    found = bench("freshness", "--rates", "10,20", "--seconds", "4", "--tracks", "2000", "--profiles", "100")
    assert set(found) == {"10", "20"}
    for rate, it in found.items():
        assert it["events"] == 4 * int(rate)
        assert it["unanswered"] == it["relay_unanswered"] == 0
        assert 0 < it["p50_ms"] <= it["p95_ms"] <= it["p99_ms"] <= it["max_ms"]
        assert it["ratio_p50"] == pytest.approx(it["p50_ms"] / it["relay_p50_ms"], abs=0.02)


@pytest.mark.slow
def test_profiler() -> None:
    found = bench("profiler", "--listens", "20000", "--listeners", "100", "--only", "faust,bare_faust")
    assert set(found) == {"faust", "bare_faust"}
    assert all(0 < it["listens"] < 20_000 and it["listens_per_second"] > 0 for it in found.values())


@pytest.mark.slow
def test_size() -> None:
    found = bench("size", "--listens", "20000", "--listeners", "60", "--tracks", "2000")
    assert found["listens"] == 20_000
    assert {"load", "read", "weigh", "catalogue", "als", "neighbours", "index"} <= set(found["steps"])
    assert found["peak_mb"] == max(cost["peak_mb"] for cost in found["steps"].values()) > 50
    assert 0 < found["pairs"] < 20_000
    assert found["neighbour_pairs"] > 1_000
    assert found["als"]["seconds"] > 0
    assert found["implicit_alone"]["seconds"] > 0


def test_an_unknown_loop_is_named() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "bench", "profiler", "--only", "flink"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "unknown loop flink" in ended.stderr
