"""Delimited text to frames of strings, block by block; a block that is not clean is read row by row instead."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Protocol

import polars as pl
from polars.exceptions import PolarsError

from services.importer.opening import TROUBLE, told
from services.importer.report import Report

BLOCK_BYTES = 64 << 20
MOST_FIELDS = 2_000  # a line of more is none of a table
LOST = "\ufffd"  # stands for bytes that are not UTF-8


class Lines(Protocol):
    """As much of a stream of bytes as is needed here."""

    def read1(self, size: int, /) -> bytes:
        """Some bytes, at most so many; none at the end."""
        ...

    def readline(self) -> bytes:
        """The rest of the line."""
        ...


def split_line(line: bytes, separator: str | None = None) -> tuple[list[str], str]:
    """The fields of one line and what separates them (comma, semicolon or tab, whichever there are most of)."""
    text = line.decode("utf-8", errors="replace").strip("\r\n")
    separator = separator or max(",;\t", key=text.count)
    try:
        fields = next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # a "field" of over 128 KB: no line of a table
        fields = []
    return fields if len(fields) <= MOST_FIELDS else [], separator


def named_once(names: Sequence[str]) -> list[str]:
    """Column names made distinct and none empty; `row` is ours."""
    made: dict[str, None] = {"row": None}
    for number, name in enumerate(names, start=1):
        name = name.strip()
        name = name if name and name not in made else f"{name}_column_{number}"
        while name in made:
            name += "_"
        made[name] = None
    return list(made)[1:]


def csv_frames(
    stream: Lines, file: str, names: Sequence[str], separator: str, first: int, report: Report
) -> Iterator[pl.DataFrame]:
    """The rest of the stream, as frames of String columns `names` and `row`, which counts lines from `first`.

    (A quoted line break makes two lines one row.) Rows with too many fields or not in UTF-8 go to the report; missing
    fields are null; blank lines are left out.
    """
    for block in filter(None, _blocks(stream, file, report)):
        frame = _fast(block, names, separator)
        if frame is None:
            frame, height = _slow(block, file, names, separator, first, report)
        else:
            height = frame.height
            frame = frame.with_row_index("row", first).cast({"row": pl.Int64})
        first += height
        frame = frame.filter(~pl.all_horizontal(pl.col(names).is_null()))
        yield frame if _is_utf8(block) else _utf8_only(frame, file, names, report)


def _blocks(stream: Lines, file: str, report: Report) -> Iterator[bytes]:
    """Whole rows of about BLOCK_BYTES; of a stream that breaks off, the whole lines before that."""
    with told(file, report):
        while True:
            block = bytearray()
            try:
                _fill(block, stream)
            except TROUBLE:
                yield bytes(block[: block.rfind(b"\n") + 1])
                raise
            if not block:
                return
            yield bytes(block)


def _fill(block: bytearray, stream: Lines) -> None:
    """An odd number of quotes means that a quoted field goes on in the next line."""
    while len(block) < BLOCK_BYTES:
        piece = stream.read1(1 << 20)
        if not piece:
            return
        block += piece
    block += stream.readline()
    odd = block.count(b'"') % 2
    while odd and (line := stream.readline()):
        block += line
        odd = (odd + line.count(b'"')) % 2


def _fast(block: bytes, names: Sequence[str], separator: str) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            block,
            has_header=False,
            separator=separator,
            schema=dict.fromkeys(names, pl.String()),
            encoding="utf8-lossy",
            missing_columns="insert",
        )
    except PolarsError:
        return None


def _slow(
    block: bytes, file: str, names: Sequence[str], separator: str, first: int, report: Report
) -> tuple[pl.DataFrame, int]:
    rows: list[list[object]] = []
    reader = csv.reader(io.StringIO(block.decode("utf-8", errors="replace"), newline=""), delimiter=separator)
    number = first - 1
    while True:
        number += 1
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            report.problem(file, f"row {number}", "", str(error))
            continue
        if any(fields[len(names) :]):
            report.problem(file, f"row {number}", "", f"has {len(fields)} fields, not {len(names)}")
            continue
        padded = [field or None for field in fields[: len(names)]]
        rows.append([number, *padded, *[None] * (len(names) - len(padded))])
    schema = {"row": pl.Int64(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame(rows, schema=schema, orient="row"), number - first


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _utf8_only(frame: pl.DataFrame, file: str, names: Sequence[str], report: Report) -> pl.DataFrame:
    broken = frame.select(
        pl.any_horizontal(pl.col(names).str.contains(LOST, literal=True).fill_null(False))
    ).to_series()
    bad = frame.filter(broken)
    message = "not UTF-8; if the whole file is in another encoding, name it with --encoding (e.g. cp1252)"
    report.problems(file, ((f"row {row}", "", message) for row in bad["row"]), bad.height)
    return frame.filter(~broken)
