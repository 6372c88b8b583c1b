"""Messages may grow, never change: what was sent in any version before stays readable (docs/events.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.export import HEADERS, messages, schema_of

GOLDEN = Path(__file__).parent / "golden"
MESSAGES = messages()


def lines(version: str, name: str) -> list[str]:
    """What was sent in that version: the smallest message, then one with every field."""
    return (GOLDEN / version / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()


VERSIONS = sorted(path.name for path in GOLDEN.iterdir())
SENT = [
    (path.parent.name, path.stem, line)
    for path in sorted(GOLDEN.glob("*/*.jsonl"))
    if path.stem != HEADERS
    for line in lines(path.parent.name, path.stem)
]
REQUIRED = [(name, field) for name, kind in MESSAGES.items() for field in schema_of(kind)["required"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_no_message_that_was_ever_sent_is_without_its_golden_file(version: str) -> None:
    assert {path.stem for path in (GOLDEN / version).iterdir()} <= {*MESSAGES, HEADERS}


def test_each_message_of_now_has_a_golden_file() -> None:
    assert {path.stem for path in (GOLDEN / VERSIONS[-1]).iterdir()} == {*MESSAGES, HEADERS}


@pytest.mark.parametrize(("version", "name", "line"), SENT, ids=lambda value: str(value)[:16])
def test_what_was_sent_is_read_and_nothing_of_it_is_lost(version: str, name: str, line: str) -> None:
    again = json.loads(encode(decode(MESSAGES[name], line.encode())))
    assert json.loads(line).items() <= again.items()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_headers_that_were_sent_are_read(version: str) -> None:
    for line in lines(version, HEADERS):
        headers = [(name, value.encode()) for name, value in json.loads(line).items()]
        assert DeadLetter.from_headers(headers).headers() == headers


@pytest.mark.parametrize("name", MESSAGES)
def test_a_field_that_is_not_known_yet_is_skipped(name: str) -> None:
    full = json.loads(lines(VERSIONS[-1], name)[-1])
    assert decode(MESSAGES[name], json.dumps({"tempo": {"bpm": 120}, **full}).encode()) == decode(
        MESSAGES[name], json.dumps(full).encode()
    )


def test_a_field_that_is_not_known_yet_is_skipped_in_an_item_too() -> None:
    full = json.loads(lines(VERSIONS[-1], "Recommendations")[-1])
    full["items"][1]["tempo"] = 120
    assert len(decode(MESSAGES["Recommendations"], json.dumps(full).encode()).items) == 2


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_required_field_that_is_missing_is_named(name: str, field: str) -> None:
    full = json.loads(lines(VERSIONS[-1], name)[-1])
    del full[field]
    with pytest.raises(Poison, match=f"missing required field `{field}`") as error:
        decode(MESSAGES[name], json.dumps(full).encode())
    assert error.value.cause == "bad-schema"


@pytest.mark.parametrize(
    ("name", "path", "value", "told"),
    [
        ("Listen", ("listened_at",), "now", "Expected `int`, got `str` - at `$.listened_at`"),
        ("Listen", ("user_id",), "", "Expected `str` of length >= 1 - at `$.user_id`"),
        ("Listen", ("kind",), "hum", "Invalid enum value 'hum' - at `$.kind`"),
        ("Recommendations", ("items", 1, "score"), None, "Expected `float`, got `null` - at `$.items[1].score`"),
        ("ReleaseAnnounced", ("sha256",), "0", "- at `$.sha256`"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path(name: str, path: tuple[Any, ...], value: object, told: str) -> None:
    document = json.loads(lines(VERSIONS[-1], name)[-1])
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Poison) as error:
        decode(MESSAGES[name], json.dumps(document).encode())
    assert told in str(error.value)


def test_a_missing_field_of_an_item_is_refused_with_the_items_path() -> None:
    document = json.loads(lines(VERSIONS[-1], "Recommendations")[-1])
    del document["items"][1]["score"]
    with pytest.raises(Poison, match=r"missing required field `score` - at `\$\.items\[1\]`"):
        decode(MESSAGES["Recommendations"], json.dumps(document).encode())


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "bad-json"),
        (b"\xff\xfe", "bad-json"),
        (b'{"event_id": "\xff"}', "bad-json"),
        (b'{"unknown":' + b"[" * 100_000, "bad-json"),
        (b"[]", "bad-schema"),
        (b" " * (512 * 1024 + 1), "too-large"),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_bytes_that_are_no_message_are_poison_with_their_cause(data: bytes | None, cause: str) -> None:
    with pytest.raises(Poison) as error:
        decode(MESSAGES["Listen"], data)
    assert error.value.cause == cause
