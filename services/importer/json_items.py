"""The JSON values of a file: one a line, the items of one array, or one document."""

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from services.importer.opening import Part, told
from services.importer.report import Report


class Item(NamedTuple):
    """One value."""

    unit: str  # "line" or "item"
    number: int  # from 1
    data: bytes  # may still be broken

    @property
    def where(self) -> str:
        """Where it stands, e.g. "line 7"."""
        return f"{self.unit} {self.number}"


LOOK_AHEAD = 20  # lines looked at to tell lines of JSON from one document written over many lines
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)


def json_items(part: Part, report: Report) -> Iterator[Item]:
    """Every value of the file, broken ones too (their decoding tells what is wrong). Lines are streamed."""
    lines = _lines(part, report)
    head = list(islice(lines, LOOK_AHEAD))
    first = b"".join(head).lstrip()[:1]
    if first == b"[":
        yield from array_items(b"".join(chain(head, lines)))
    elif first == b"{" and not any(_stands_alone(line) for line in head):
        yield Item("item", 1, b"".join(chain(head, lines)))
    else:
        for number, line in enumerate(chain(head, lines), start=1):
            if stripped := line.strip():
                yield Item("line", number, stripped)


def _lines(part: Part, report: Report) -> Iterator[bytes]:
    with told(part.name, report):
        yield from part.stream


def _stands_alone(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        _raw.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def array_items(data: bytes) -> Iterator[Item]:
    """The items of a JSON array; of a broken or truncated one all that can be told apart."""
    try:
        items = _raws.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _salvaged(data.decode("utf-8", errors="replace"))
    else:
        for number, item in enumerate(items, start=1):
            yield Item("item", number, bytes(item))


def _salvaged(text: str) -> Iterator[Item]:
    decoder = json.JSONDecoder()
    at, number = text.index("[") + 1, 0
    while True:
        at += len(text[at : at + 4096]) - len(text[at : at + 4096].lstrip(", \t\r\n"))
        if at >= len(text) or text[at] == "]":
            break
        number += 1
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            following = _NEXT.search(text, at)
            end = following.end() if following else len(text)
        yield Item("item", number, text[at:end].rstrip(", \t\r\n").encode())
        at = end
    if at >= len(text):
        yield Item("item", number + 1, b"")  # never decodes, so the missing "]" is told too
