from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from schemas.release import Span
from services.runtime.errors import Fatal
from services.trainer import history as module
from services.trainer.columns import LISTENS
from services.trainer.history import History, Identity, read

IDENTITY = Identity("cluster-a", "listens", "topic-1")


def listens(*offsets: int) -> pl.DataFrame:
    rows = [
        {"offset": at, "appended_ms": at, "event_id": f"e{at}", "user_id": "u", "track_id": "t", "listened_at": at,
         "kind": "play", "scope": "track"}
        for at in offsets
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LISTENS)


OPENED: list[History] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(folder: Path) -> History:
    OPENED.append(History(folder, IDENTITY))
    return OPENED[-1]


def reopened(history: History) -> History:
    history.close()
    return opened(history.folder)


def offsets(history: History) -> list[int]:
    return read(history.paths())["offset"].to_list()


def test_reading_goes_on_after_the_newest_segment(tmp_path: Path) -> None:
    history = opened(tmp_path)
    assert history.position(3) is None
    history.append(3, 0, 1, listens(0, 1))
    history.append(3, 2, 4, listens(2, 4))
    history = reopened(history)
    assert history.position(3) == 5
    assert history.position(0) is None
    assert history.rows() == 4
    assert offsets(history) == [0, 1, 2, 4]
    assert {path.stat().st_mode & 0o777 for path in history.paths()} == {0o600}  # personal data
    assert history.window() == {"3": Span(0, 4)}
    assert [path.name for path in history.paths()] == [
        "00000000000000000000-00000000000000000001.parquet",
        "00000000000000000002-00000000000000000004.parquet",
    ]


def test_offsets_that_hold_nothing_are_not_read_again(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 7, listens())
    assert reopened(history).position(0) == 8


def test_what_is_there_already_is_refused(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 5, listens(0))
    with pytest.raises(ValueError, match="does not follow 6"):
        history.append(0, 5, 9, listens(5))
    with pytest.raises(ValueError, match="does not follow"):
        history.append(1, 5, 4, listens())


def test_what_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 1, listens(0, 1))
    half = history.paths()[0].with_name(".aside-00000000000000000002-00000000000000000003.parquet")
    half.write_bytes(b"PAR1 half")
    history = reopened(history)
    assert not half.exists()
    assert history.position(0) == 2


def test_small_neighbours_become_one_and_nothing_is_lost(tmp_path: Path) -> None:
    history = opened(tmp_path)
    for at in range(5):
        history.append(0, 2 * at, 2 * at + 1, listens(2 * at, 2 * at + 1))
    history.append(1, 0, 0, listens(0))
    assert history.merge(6) == 0
    assert history.merge(5) == 1
    assert len(history.paths()) == 2
    assert offsets(history) == [*range(10), 0]
    history = reopened(history)
    assert offsets(history) == [*range(10), 0]
    assert history.position(0) == 10


def test_large_segments_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", 3)
    history = opened(tmp_path)
    for first, rows in ((0, 1), (1, 3), (4, 1), (5, 1), (6, 1), (7, 1)):
        history.append(0, first, first + rows - 1, listens(*range(first, first + rows)))
    assert history.merge(2) == 1  # 4, 5 and 6 make a large one; 7 is alone
    assert [path.name.lstrip("0")[:1] for path in history.paths()] == ["-", "1", "4", "7"]
    assert offsets(history) == list(range(8))


def test_a_merge_killed_before_its_parts_were_removed_is_finished(tmp_path: Path) -> None:
    history = opened(tmp_path)
    for at in range(3):
        history.append(0, at, at, listens(at))
    parts = {path: path.read_bytes() for path in history.paths()}
    history.merge(3)
    for path, data in list(parts.items())[1:]:
        path.write_bytes(data)
    history = reopened(history)
    assert offsets(history) == [0, 1, 2]
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


def test_a_gap_is_told_and_never_merged_over(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 1, listens(0, 1))
    history.append(0, 10, 11, listens(10, 11))
    assert history.merge(2) == 0
    history = reopened(history)
    assert history.window() == {"0": Span(0, 11)}
    assert history.gaps() == {"0": [Span(2, 9)]}


def test_the_history_of_another_log_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    for other in (Identity("cluster-b", "listens", "topic-1"), Identity("cluster-a", "listens", "topic-2")):
        with pytest.raises(Fatal, match="SEGUE_TRAINER_HISTORY"):
            History(tmp_path, other)
    opened(tmp_path).close()


def test_segments_of_nobody_knows_which_log_are_refused(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 0, listens(0))
    history.close()
    (tmp_path / "identity.json").unlink()
    with pytest.raises(Fatal, match=r"identity\.json is missing"):
        opened(tmp_path)


def test_a_second_trainer_is_refused(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(Fatal, match="another trainer"):
        opened(tmp_path)
    reopened(first).close()


@pytest.mark.parametrize("name", ["x-y.parquet", "5-3.parquet", "7.parquet"])
def test_a_name_that_is_no_range_is_refused(tmp_path: Path, name: str) -> None:
    opened(tmp_path).close()
    (tmp_path / "listens" / "0").mkdir(parents=True)
    (tmp_path / "listens" / "0" / name).write_bytes(b"")
    with pytest.raises(Fatal, match="move it away"):
        opened(tmp_path)


def test_a_segment_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 1, listens(0, 1))
    path = history.paths()[0]
    history.close()
    path.write_bytes(b"not parquet")
    with pytest.raises(Fatal, match=path.name):
        opened(tmp_path)


def test_segments_that_overlap_are_refused(tmp_path: Path) -> None:
    history = opened(tmp_path)
    history.append(0, 0, 5, listens(0))
    path = history.paths()[0]
    history.close()
    path.with_name("3-9.parquet").write_bytes(path.read_bytes())
    with pytest.raises(Fatal, match="overlaps"):
        opened(tmp_path)


def test_no_segments_read_as_no_listens() -> None:
    assert read([]).schema == LISTENS


def test_only_the_last_days_are_loaded(tmp_path: Path) -> None:
    history, day = opened(tmp_path), 86_400_000
    history.append(0, 0, 1, listens(0, 1).with_columns(listened_at=pl.Series([10 * day, 12 * day])))
    history.append(0, 2, 3, listens(2, 3).with_columns(listened_at=pl.Series([11 * day, 14 * day])))
    assert read(history.paths(), days=2.5)["offset"].to_list() == [1, 3]
    assert read(history.paths(), ["offset"], 3.5).to_dict(as_series=False) == {"offset": [1, 2, 3]}
    assert read(history.paths(), days=0)["offset"].to_list() == [0, 1, 2, 3]
