"""What the demo plays: a real log is cut in two by time, a simulated one goes on after its history."""

from itertools import islice, pairwise
from pathlib import Path

import polars as pl
import pytest

from services.demo.data import SPARE, make_data
from services.demo.options import DemoOptions
from services.runtime.errors import Fatal


def log(folder: Path, listens: int) -> Path:
    """Listens of three people a minute apart, the newest first, as exports often are, and a broken line."""
    rows = [f"user-{n % 3},{1_700_000_000 + 60 * n},Band,Song {n % 7}" for n in reversed(range(listens))]
    path = folder / "plays.csv"
    path.write_text("\n".join(["user_id,listened_at,artist,track", *rows, "user-1,never,Band,Song 1"]) + "\n")
    return path


def silent(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("live_s", "rate", "live"),
    [(10.0, 2.0, int(20 * SPARE) + 1), (1_000.0, 2.0, 100), (None, 2.0, 100), (0.0, 50.0, 1)],
    ids=["as asked", "at most half", "until stopped", "none asked"],
)
def test_a_real_log_is_cut_in_two(tmp_path: Path, live_s: float | None, rate: float, live: int) -> None:
    data = make_data(DemoOptions((log(tmp_path, 200),), rate=rate, live_s=live_s), silent)
    later = list(data.live)
    assert (data.listens.height, len(later), data.bad) == (200 - live, live, 1)
    times = [*data.listens["listened_at"], *(listen.listened_at for listen in later)]
    assert all(before < after for before, after in pairwise(times))
    assert len({*data.listens["event_id"], *(listen.event_id for listen in later)}) == 200
    assert data.tracks.height == 7
    assert {listen.track_id for listen in later} <= set(data.tracks["track_id"])


@pytest.mark.parametrize("listens", [0, 1])
def test_a_log_of_nothing_says_what_to_do(tmp_path: Path, listens: int) -> None:
    with pytest.raises(Fatal, match="`segue import FORMAT FILE --check` says what is wrong"):
        make_data(DemoOptions((log(tmp_path, listens),)), silent)


def test_a_simulated_crowd_goes_on_after_its_history() -> None:
    options = DemoOptions(listeners=20, days=2, seed=7)
    data, again = make_data(options, silent), make_data(options, silent)
    assert data.listens.equals(again.listens)
    later = list(islice(data.live, 50))
    assert later == list(islice(again.live, 50))
    newest = data.listens["listened_at"].max()
    assert isinstance(newest, int)
    assert min(listen.listened_at for listen in later) >= newest
    assert not {listen.event_id for listen in later} & set(data.listens["event_id"])
    assert data.listens["listened_at"].is_sorted()
    assert data.tracks.select(pl.col("track_id").is_unique().all()).item()
