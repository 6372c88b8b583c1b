from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importer.times import to_ms

MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
MS = 1_700_000_000_000


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_numbers_tell_their_unit(unit: str) -> None:
    value = MS * 1_000_000 // {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    assert to_ms(pl.Series([value, value])).to_list() == [MS, MS]
    assert to_ms(pl.Series([str(value), f" {value} ", "", None])).to_list() == [MS, MS, None, None]
    assert to_ms(pl.Series([100]), unit).to_list()[0] <= 100_000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-14T22:13:20.000+00:00",
        "2023-11-15T03:43:20+0530",
        "2023-11-14 22:13:20 UTC",
    ],
)
def test_iso_is_read(text: str) -> None:
    assert to_ms(pl.Series([text, "no time", "2023-13-45", "2023-11-14"])).to_list() == [
        MS,
        None,
        None,
        1_699_920_000_000,
    ]


def test_datetimes_are_what_they_are() -> None:
    assert to_ms(pl.Series([MOMENT.replace(tzinfo=None)])).to_list() == [MS]
    assert to_ms(pl.Series([MOMENT]).dt.convert_time_zone("Asia/Tokyo")).to_list() == [MS]
    assert to_ms(pl.Series([date(2023, 11, 14)])).to_list() == [1_699_920_000_000]
    assert to_ms(pl.Series([[1]])).to_list() == [None]


@given(st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_iso_with_any_zone_is_the_moment(moment: datetime, minutes: int) -> None:
    there = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert to_ms(pl.Series([there.isoformat()])).to_list() == [int(there.timestamp() * 1000)]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_any_integer_is_read_without_overflow(values: list[int | None]) -> None:
    read = to_ms(pl.Series(values, dtype=pl.Int64), "s").to_list()
    assert [value is None for value in read] == [value is None for value in values]
    assert all((value or 0) * (time or 0) >= 0 for value, time in zip(values, read, strict=True))


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1))
def test_any_real_is_read_or_null(values: list[float | None]) -> None:
    assert to_ms(pl.Series(values, dtype=pl.Float64)).dtype == pl.Int64
