"""The last line of an audit: the only one that most people read."""

import io
from typing import Any

import pytest
from rich.console import Console

from services.audit.result import Audit, Partition
from services.audit.table import table


def last_line(left: int = 0, **counted: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    found = Partition(0, profiles=10, **counted)
    console.print(table(Audit([found], found, left=left)))
    return str(console.file.getvalue()).strip().splitlines()[-1]  # type: ignore[attr-defined]  # it is a StringIO


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        ({"equal": 10}, "clean: everything is what the log says"),
        (
            {"equal": 7, "unauditable": 3, "gone": 4},
            "clean as far as the log tells: 3 of 10 profiles cannot be audited",
        ),
        ({"equal": 10, "behind": 2}, "clean as far as the profiler has come: it is 2 events behind"),
        ({"equal": 9, "differing": 1, "lost": 1, "unauditable": 3}, "not what the log says"),
        ({"equal": 10, "left": 5}, "clean so far, but the profiler had still 5 offsets to fold"),
    ],
)
def test_it_says_no_more_than_was_seen(counted: dict[str, int], says: str) -> None:
    assert last_line(**counted).startswith(says)
