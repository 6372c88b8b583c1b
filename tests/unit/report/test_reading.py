"""Outcomes to columns: an event once, whatever comes twice."""

from collections.abc import Iterator

import numpy as np

from schemas.codec import encode
from schemas.outcome import Outcome
from services.report.reading import Gathering, gathered
from services.runtime.kafka_log import Record, Span
from tests.unit.report.made import T0, outcome


def gathering(*outcomes: Outcome) -> Gathering:
    found = Gathering()
    for each in outcomes:
        found.add(each)
    return found


def test_the_first_outcome_of_an_event_counts() -> None:
    columns, repeats = gathering(
        outcome("e1", rank=3), outcome("e2"), outcome("e1", rank=9), outcome("e1", user="ben", rank=7)
    ).columns()
    assert columns.rank.tolist() == [3, 0, 7]
    assert repeats == 1


def test_ids_that_only_look_alike_together_are_two() -> None:
    _, repeats = gathering(outcome("b", user="a"), outcome("", user="ab"), outcome("ab", user="")).columns()
    assert repeats == 0


def test_names_stand_behind_numbers() -> None:
    columns, _ = gathering(
        outcome("e1", rank=1, source="als"), outcome("e2", variant="b", release_id="r2"),
        outcome("e3", rank=2, source="history", variant="b"),
    ).columns()  # fmt: skip
    assert [columns.names["source"][n] if n >= 0 else None for n in columns.source] == ["als", None, "history"]
    assert [columns.names["variant"][n] for n in columns.variant] == ["a", "b", "b"]
    assert [columns.names["release"][n] for n in columns.release] == ["r1", "r2", "r1"]


def test_only_some_rows() -> None:
    columns, _ = gathering(*(outcome(f"e{n}", at=T0 + n, kind="skip" if n % 2 else "play") for n in range(6))).columns()
    late = columns.where(columns.at >= T0 + 3)
    assert len(late) == 3
    assert late.skipped.tolist() == [True, False, True]


def test_nothing_is_no_trouble() -> None:
    columns, repeats = Gathering().columns()
    assert (len(columns), repeats) == (0, 0)


class Log:
    """A topic of two partitions; the first began at offset 5."""

    def __init__(self) -> None:
        values = [encode(outcome(f"e{n}")) for n in range(4)] + [b"{broken"]
        self.records = {0: [Record(5 + n, 0, b"ann", value, []) for n, value in enumerate(values)], 1: []}

    def spans(self, _topic: str) -> dict[int, Span]:
        return {0: Span(5, 10), 1: Span(0, 0)}

    def read(self, _topic: str, partition: int, _first: int, _stop: int) -> Iterator[list[Record]]:
        for at in range(0, len(self.records[partition]), 2):
            yield self.records[partition][at : at + 2]


def test_the_topic_is_read_whole_and_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    found = gathered(Log(), lambda done, of: told.append((done, of)))  # type: ignore[arg-type]  # as much as is used
    columns, _ = found.columns()
    assert (len(columns), found.unreadable) == (4, 1)
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert np.unique(columns.listener).size == 1
