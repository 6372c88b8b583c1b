"""Times as sources write them, to ms since epoch (UTC)."""

import polars as pl

from services.importer.rows import Unit

_MILLIS: dict[Unit, tuple[int, int]] = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
_CAP = 2**53  # a larger number is absurd in any unit; capped, it stays absurd and cannot overflow
_ISO = (
    r"^\s*(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<minute>\d{2}:\d{2})(?P<second>:\d{2})?(?P<part>\.\d+)?)?"
    r"\s*(?P<zone>[Zz]|UTC|[+-]\d{2}:?\d{2})?\s*$"
)


def to_ms(values: pl.Series, unit: Unit | None = None) -> pl.Series:
    """Int64 ms since epoch; null where it cannot be read.

    Numbers are in `unit`, else in the unit that their median's size tells. Text is a number or ISO 8601 (no zone: UTC;
    no time: midnight). Dates and datetimes are what they are (no zone: UTC).
    """
    kind = values.dtype
    if kind == pl.Date:
        values, kind = values.cast(pl.Datetime("ms")), pl.Datetime("ms")
    if isinstance(kind, pl.Datetime):
        return (values.dt.convert_time_zone("UTC") if kind.time_zone else values).dt.epoch("ms")
    if kind.is_numeric():
        return _numbers(values, unit)
    if kind != pl.String:
        return pl.Series(values.name, [None] * len(values), pl.Int64)
    numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    if numbers.null_count() == len(values):
        return iso_ms(values)
    exact = values.str.strip_chars().cast(pl.Int64, strict=False)
    read = _numbers(exact if exact.null_count() == numbers.null_count() else numbers, unit)
    return read if read.null_count() == values.null_count() else read.zip_with(read.is_not_null(), iso_ms(values))


def unit_of(values: pl.Series) -> Unit:
    """The unit that numeric times are in, from their median: 1995 to 2100 do not overlap between units."""
    size = values.cast(pl.Float64, strict=False).abs().median()
    typical = size if isinstance(size, float) else 0.0
    return "s" if typical < 1e11 else "ms" if typical < 1e14 else "us" if typical < 1e17 else "ns"


def _numbers(values: pl.Series, unit: Unit | None) -> pl.Series:
    up, down = _MILLIS[unit or unit_of(values)]
    if values.dtype.is_integer():
        whole = values.cast(pl.Int64, strict=False)
        return whole.clip(-_CAP, _CAP) * up if up > 1 else whole // down
    real = values.cast(pl.Float64, strict=False).fill_nan(None)
    return (real.clip(-_CAP, _CAP) * up / down).round().cast(pl.Int64, strict=False)


def iso_ms(text: pl.Series) -> pl.Series:
    """ISO 8601 date or date-time to ms; null where it is not one."""
    part = text.to_frame("text").select(pl.col("text").str.extract_groups(_ISO)).unnest("text")
    zone = pl.col("zone").replace({"Z": "+0000", "z": "+0000", "UTC": "+0000"}).str.replace(":", "").fill_null("+0000")
    clock = pl.concat_str(
        pl.col("day"),
        pl.lit("T"),
        pl.col("minute").fill_null("00:00"),
        pl.col("second").fill_null(":00"),
        pl.col("part").fill_null(""),
        zone,
    )
    return part.select(
        clock.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_unit="ms").dt.epoch("ms").alias(text.name)
    ).to_series()
