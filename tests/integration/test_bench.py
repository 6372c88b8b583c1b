"""The benchmarks run from end to end, small; what they measure here is not looked at, but that it was measured."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.layout import SEGMENT_BYTES

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
    found = bench("profiler", "--listens", "40000", "--listeners", "100")
    assert set(found) == {"faust", "bare_faust", "bulk", "bare_aiokafka"}
    assert all(0 < it["listens"] < 40_000 and it["listens_per_second"] > 0 for it in found.values())
    for ours, bare in (("faust", "bare_faust"), ("bulk", "bare_aiokafka")):
        ratio = found[ours]["listens_per_second"] / found[bare]["listens_per_second"]
        assert found[ours]["ratio"] == pytest.approx(ratio, abs=0.001)
        assert found[bare]["ratio"] is None


@pytest.mark.slow
def test_outcomes() -> None:
    found = bench("outcomes", "--listens", "20000", "--listeners", "100")
    assert set(found) == {"outcomes", "bare_aiokafka"}
    assert all(0 < it["listens"] < 20_000 and it["listens_per_second"] > 0 for it in found.values())
    ratio = found["outcomes"]["listens_per_second"] / found["bare_aiokafka"]["listens_per_second"]
    assert found["outcomes"]["ratio"] == pytest.approx(ratio, abs=0.001)


@pytest.mark.slow
def test_scorer() -> None:
    found = bench("scorer", "--tracks", "2000", "--listeners", "64", "--known", "20", "--seconds", "1")
    assert set(found) == {"2000"}
    it = found["2000"]
    assert it["ratio"] == pytest.approx(it["lists_per_second"] / it["reference_per_second"], abs=0.01)
    assert 0 < it["one_p50_ms"] <= it["one_p99_ms"]
    assert it["list_bytes"] > 50 * 20  # fifty tracks with their reasons
    assert all(it["stages_us"][stage] > 0 for stage in ("fetch", "candidates", "rank", "send"))
    assert sum(it["stages_us"].values()) <= 1.05e6 / it["lists_per_second"]  # no stage counts what another does


def log_file(path: Path, weeks: int = 6) -> Path:
    """Three listeners who play their own twelve tracks over and over, oldest first."""
    day = 86_400
    rows = [
        (f"listener-{who}", 1_700_000_000 + at * day // 12, f"band {who}", f"song {who}-{at * 7 % 12}", 200_000)
        for who in range(3)
        for at in range(weeks * 7 * 12)
    ]
    columns = ["user_id", "listened_at", "artist", "track", "ms_played"]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(path)
    return path


@pytest.mark.slow
def test_memory(tmp_path: Path) -> None:
    log = log_file(tmp_path / "listens.parquet")
    found = bench("memory", "--plays", "20,2000", "--listeners", "5", "--listens", str(log), "--seconds", "1",
                  "--tracks", "2000", "--profiles", "50")  # fmt: skip
    few, many, own = found["redis"]["20"], found["redis"]["2000"], found["redis"]["log"]
    begun = found["redis"]["log_20"]
    assert (begun["listeners"], begun["plays"], begun["past"]) == (3, 20, 0)
    assert "log_2000" not in found["redis"]  # nobody has as many
    assert (few["past"], few["redis_past"]) == (0, 0)
    assert many["past"] == SEGMENT_BYTES * ((2_000 - 256) // 256)
    assert (own["listeners"], own["plays"]) == (3, 6 * 7 * 12)
    for it in (few, many, own):
        assert it["redis_head"] > it["head"]
        assert it["gib_a_million"] == pytest.approx(it["used"] * 1e6 / 2**30, abs=0.01)
    assert set(found["rss_mib"]) == {"profiler", "scorer", "outcomes", "trainer"}
    assert all(mib > 10 for mib in found["rss_mib"].values())
    whole, *others = found["curve"]
    assert whole["bounds"] == "unbounded"
    assert whole["ndcg_100"] > 0.9  # they go on with what they always play
    assert others[-1]["bytes"] < whole["bytes"]


@pytest.mark.slow
def test_release() -> None:
    it = bench("release", "--tracks", "2000", "--profiles", "100", "--rate", "20", "--seconds", "15",
               "--listeners", "0")  # fmt: skip
    assert (it["train_s"], it["train_listens"]) == (0, 0)
    assert it["load_s"] > 0
    assert it["warm_s"] > 0
    assert 0 < it["swap_s"] < 15  # some lists were made with the new one
    for lists in (it["steady"], it["swapping"]):
        assert lists["unanswered"] == 0
        assert lists["lists"] > 20
        assert lists["longest_gap_ms"] > 1000 / 20  # lists cannot come more evenly than their listens
    assert it["ratio"] == pytest.approx(it["swapping"]["longest_gap_ms"] / it["steady"]["longest_gap_ms"], abs=0.02)


@pytest.mark.slow
def test_growth(tmp_path: Path) -> None:
    plot = tmp_path / "growth.svg"
    found = bench("growth", "--only", "memory", "--users", "20,200", "--tracks", "2000", "--partitions", "2",
                  "--seconds", "1", "--plot", str(plot))  # fmt: skip
    by_size = {(it["unit"], it["against"]): it["points"] for it in found}
    units = {f"RSS MiB, {service}" for service in ("profiler", "scorer", "outcomes", "trainer")}
    units.add("Redis, bytes a listener of 20 plays")
    assert set(by_size) == {(unit, against) for unit in units for against in ("users", "tracks", "partitions")}
    for unit in units:
        few, many = by_size[unit, "users"]
        assert (few[0], many[0]) == (20, 200)
        assert by_size[unit, "tracks"] == [[2_000, many[1]]]  # the middle of the users: measured once for all three
        assert by_size[unit, "partitions"] == [[2, many[1]]]
    assert all(200 < figure < 50_000 for _, figure in by_size["Redis, bytes a listener of 20 plays", "users"])
    assert plot.read_text(encoding="utf-8").startswith("<svg")


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
