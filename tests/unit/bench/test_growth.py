"""How figures grow: each size once, no series along what does not matter, and one panel a figure."""

import pytest

from services.bench import growth
from services.bench.growth import GrowthBench, Series, Size, drawn
from services.bench.rates import Rate

SIZES = GrowthBench(users=(30, 10, 20), tracks=(1_000, 2_000), partitions=(4,))


def grown(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[list[Series], list[Size], list[str]]:
    """The series of a benchmark whose figures are its sizes, what it was run at, and what was told."""
    asked: list[Size] = []
    told: list[str] = []

    def figures(at: Size, _: GrowthBench) -> dict[str, float]:
        asked.append(at)
        return {"users": at.users, "tracks": at.tracks}

    monkeypatch.setattr(growth, f"_{name}", figures)
    return growth.measure(GrowthBench((name,), SIZES.users, SIZES.tracks, SIZES.partitions), told.append), asked, told


def test_each_size_is_measured_once_with_the_others_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked, _ = grown(monkeypatch, "scorer")
    assert asked == [Size(10, 2_000, 4), Size(20, 2_000, 4), Size(30, 2_000, 4), Size(20, 1_000, 4)]
    by_place = {(series.unit, series.against): series.points for series in found}
    assert by_place["users", "users"] == [(10, 10), (20, 20), (30, 30)]
    assert by_place["tracks", "users"] == [(10, 2_000), (20, 2_000), (30, 2_000)]
    assert by_place["tracks", "tracks"] == [(1_000, 1_000), (2_000, 2_000)]
    assert by_place["users", "partitions"] == [(4, 20)]


def test_a_training_does_not_grow_with_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, told = grown(monkeypatch, "train")
    assert {series.against for series in found} == {"users", "tracks"}
    assert told[0] == "train: 10 users, 2,000 tracks"


def test_a_profilers_rate_stands_beside_the_bare_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"bare_faust": 100.0, "faust": 50.0, "bare_aiokafka": 1_000.0, "bulk": 250.0}
    measured = {name: Rate(rate, 1, 1.0) for name, rate in rates.items()}
    monkeypatch.setattr(growth.profiler, "measure", lambda *_: measured)
    found = growth.measure(GrowthBench(("profiler",), (10,), (1_000,), (1,)), lambda _: None)
    assert {series.unit: series.points[0][1] for series in found} == {
        "listens/s, faust": 50.0, "listens/s, faust / bare_faust": 0.5,
        "listens/s, bulk": 250.0, "listens/s, bulk / bare_aiokafka": 0.25,
    }  # fmt: skip


def test_a_panel_a_figure_and_a_line_for_what_it_grows_with() -> None:
    picture = drawn(
        [
            Series("scorer", "lists/s", "users", [(10, 5.0), (100, 4.0)]),
            Series("scorer", "lists/s", "tracks", [(1_000, 5.0), (2_000, 4.0), (3_000, 1.0)]),
            Series("memory", "MiB", "users", [(10, 0.0), (100, 0.0)]),
        ]
    )
    assert (picture.count("scorer: lists/s"), picture.count("memory: MiB")) == (1, 1)
    assert (picture.count("10 / 100 users"), picture.count("1,000 / 2,000 / 3,000 tracks")) == (1, 1)
