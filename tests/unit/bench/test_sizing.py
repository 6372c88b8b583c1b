"""The sizing table follows from what was measured, and the page says what the figures say."""

from pathlib import Path

import msgspec
import pytest

from services.bench.sizing import NOTHING, PAGE, Demand, Measured, known, measured, page, sizing

IT = Measured(
    "a test", 10_000.0, 100_000.0, 500.0, 2_000.0, 1e8, 4_096.0, 3_000.0, 200.0, 150.0, 8_000.0, 100.0, 300.0, 60.0,
    256.0,
)  # fmt: skip


def figures(demand: Demand, it: Measured = IT) -> dict[str, float]:
    return {line.name: line.figure for line in sizing(it, demand)}


def test_a_size_that_can_be_worked_out_by_hand() -> None:
    found = figures(Demand(864_000, plays_a_day=100.0, peak=3.0, used=0.5))
    assert found["listens at peak"] == 3_000  # 864,000 × 100 / 86,400 × 3
    assert found["profilers"] == 1  # 3,000 of 5,000
    assert found["scorers"] == 12  # 3,000 / 250
    assert found["outcomes"] == 3  # 3,000 / 1,000
    assert found["partitions"] == 32  # 2 × 12 = 24, and the next power of two
    assert found["Redis: data"] == pytest.approx(864_000 / 2**18)  # 4 KiB each
    assert found["Redis: shards"] == 1
    assert found["Redis: read and written"] == pytest.approx(27.0)  # 3,000 × 3,000 × 3
    assert found["Kafka: written"] == pytest.approx(25.05)  # 3,000 × 8,350
    assert found["Kafka: brokers"] == 4  # 25.05 MB × 6 / 50 MB = 3.006
    assert found["memory of services"] == pytest.approx((100 + 12 * 300 + 3 * 60) / 1024)
    assert found["trainer: days learned from"] == pytest.approx(2**28 / 86_400_000)  # 64 GiB of 256 bytes each
    assert found["an emptied Redis rebuilt"] == pytest.approx(864_000 * 200 / 100_000 / 60)


@pytest.mark.parametrize("name", ["profilers", "scorers", "outcomes", "partitions", "Redis: shards", "Kafka: brokers"])
def test_more_listeners_never_need_less(name: str) -> None:
    sizes = [figures(Demand(listeners))[name] for listeners in (1, 10**5, 10**6, 10**7, 10**8)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_slower_processes_are_more() -> None:
    slower = msgspec.structs.replace(IT, scorer_lists_per_second=50.0)
    assert (figures(Demand(10**6))["scorers"], figures(Demand(10**6), slower)["scorers"]) == (2, 12)  # 347 / 300, / 30


def test_figures_are_taken_from_what_the_benchmarks_said(tmp_path: Path) -> None:
    said = {
        "profiler": {name: {"listens_per_second": rate} for name, rate in
                     (("faust", 9_000), ("bulk", 90_000), ("bare_aiokafka", 300_000))},
        "strangers": {name: {"listens_per_second": rate} for name, rate in (("faust", 5_000), ("bulk", 50_000))},
        "outcomes": {"outcomes": {"listens_per_second": 4_000.0}},
        "scorer": {"100000": {"lists_per_second": 700.0, "list_bytes": 6_500}},
        "memory": {"redis": {"200": {"plays": 200, "events": 30_000, "used": 7_000, "head": 6_000, "past": 0}},
                   "rss_mib": {"profiler": 80.0, "scorer": 400.0, "outcomes": 60.0}},
        "size": {"listens": 1_000_000, "peak_mb": 400.0},
    }  # fmt: skip
    for name, found in said.items():
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(found))
    it = measured(tmp_path, "today")
    assert (it.event_bytes, it.broker_bytes_per_second, it.profile_bytes) == (150, 45e6, 6_000)
    assert (it.profiler_listens_per_second, it.bulk_listens_per_second) == (5_000, 50_000)  # of many, not of a few
    assert (it.outcomes_listens_per_second, it.outcomes_mib, it.trainer_bytes) == (4_000, 60, 400)
    assert 50 < it.notice_bytes < 400


def test_whatever_needs_the_most_processes_says_how_many_partitions() -> None:
    slow = msgspec.structs.replace(IT, outcomes_listens_per_second=10.0)
    assert figures(Demand(864_000, plays_a_day=100.0, used=0.5), slow)["partitions"] == 2_048  # 2 × 600


def test_the_page_says_what_was_measured() -> None:
    """`python -m services.bench.sizing` writes it anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, known())
    assert "| profilers |" in text


def test_a_page_of_figures_has_them_and_where_they_come_from() -> None:
    text = page(PAGE.read_text(encoding="utf-8"), IT)
    assert "| scorers | 2 | 116 |" in text  # 347.2 / 300, 34,722.2 / 300
    assert "Measured (a test):" in text
    assert "| scorer lists per second | 500 |" in text
    assert NOTHING not in text
    assert page(text, None) == page(PAGE.read_text(encoding="utf-8"), None)
