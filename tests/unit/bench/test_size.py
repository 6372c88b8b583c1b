"""A past of any size, and what a step of a training on it costs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from services.bench import size as sized
from services.bench.past import Size, write
from services.bench.size import Passes, _apart
from services.bench.watch import Cost, Watch
from services.runtime.errors import Fatal
from services.trainer.columns import LISTENS

SMALL = Size(listens=20_000, listeners=60, tracks=3_000)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's peak is read from /proc")


def quiet(_text: str) -> None:
    pass


def test_a_made_up_past_is_as_large_as_was_asked_and_reads_as_the_trainers_history(tmp_path: Path) -> None:
    [path] = write(tmp_path, SMALL, quiet)
    made = pl.read_parquet(path)
    assert dict(made.schema) == LISTENS
    assert path.name == f"{0:020d}-{19_999:020d}.parquet"
    assert (made.height, made["event_id"].n_unique(), made["user_id"].n_unique()) == (20_000, 20_000, 60)
    assert 1_000 < made["track_id"].n_unique() <= 3_000
    rises = made.group_by("user_id").agg(pl.col("listened_at").is_sorted())
    assert rises["listened_at"].all()
    skipped = (made["ms_played"] < 30_000).mean()
    assert skipped == pytest.approx(0.25, abs=0.02)
    repeats = 1 - made.select("user_id", "track_id").n_unique() / made.height
    assert 0.3 < repeats < 0.9


def test_the_same_seed_makes_the_same_past(tmp_path: Path) -> None:
    frames = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        frames.append(pl.read_parquet(write(tmp_path / name, Size(2_000, 20, 1_000, seed), quiet)))
    assert frames[0].equals(frames[1])
    assert not frames[0].equals(frames[2])


@needs_linux
def test_the_peak_is_of_the_step_that_had_it_and_each_is_told() -> None:
    heard: list[tuple[str, Cost | None]] = []
    watch = Watch(lambda step, cost: heard.append((step, cost)))
    with watch.step("large"):
        np.ones(40_000_000).sum()  # 320 MB
    with watch.step("small"):
        np.ones(1_000).sum()
    assert watch.costs["large"].peak_mb > watch.costs["small"].peak_mb + 250
    watch.told("als", 0.0)
    watch.told("als", 0.5)
    watch.told("als", 1.0)
    watch.told("als", 1.0)  # told twice
    assert [step for step, _ in heard] == ["large", "large", "small", "small", "als", "als"]
    assert heard[1][1] == watch.costs["large"]


def test_a_pass_is_timed_without_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 102.0, 104.0, 108.0, 999.0])  # the last is told twice
    monkeypatch.setattr(sized, "perf_counter", lambda: next(times))
    monkeypatch.setattr(sized, "process_time", lambda: 0.0)
    passes = Passes()
    assert passes.pace() is None
    for done in (0.0, 0.25, 0.5, 0.75, 1.0, 1.0):
        passes.told(done)
    pace = passes.pace()
    assert pace is not None
    assert pace.seconds == pytest.approx((108 - 100) / 3, abs=1e-3)


def _says_and_dies(told: Callable[[str], None]) -> None:
    told("als ...")
    os._exit(9)


def _gives(number: int, told: Callable[[str], None]) -> int:
    told("working")
    return number + 1


def test_a_process_that_dies_is_named_by_what_it_said_last() -> None:
    said: list[str] = []
    with pytest.raises(Fatal, match=r"ended with 9 after it said: als \.\.\."):
        _apart(_says_and_dies, (), said.append)
    assert said == ["als ..."]


def test_what_a_process_gives_comes_back() -> None:
    assert _apart(_gives, (3,), quiet) == 4
