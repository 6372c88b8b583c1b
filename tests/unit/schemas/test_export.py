"""The checked-in documents are what the code says, and they mean what the codec does."""

import ast
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import export, topics
from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from tests.unit.schemas.made import made

ROOT = Path(__file__).parents[3]
MESSAGES = export.messages()
# JSON Schema says 1.0 is an integer; the codec does not. Nothing else may differ.
SAME_IN_BOTH = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**53 + 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["play", "ban", "track", "artist", "a" * 64, "0" * 64]),
    st.text("x", min_size=510, max_size=514),
)
ANYTHING = st.recursive(
    SAME_IN_BOTH, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / "json" / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


VALIDATORS = {name: validator(name) for name in [*MESSAGES, export.HEADERS]}


def accepts(name: str, document: Any) -> bool:
    try:
        decode(MESSAGES[name], json.dumps(document).encode())
    except Poison:
        return False
    return True


def test_every_checked_in_document_is_what_the_code_says() -> None:
    assert export.stale(ROOT / "schemas") == [], "run `python -m schemas.export` and commit what it writes"


def test_a_document_that_is_missing_changed_or_left_over_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main(["--root", str(tmp_path)]) == 0
    assert export.main(["--root", str(tmp_path), "--check"]) == 0
    (tmp_path / "asyncapi.json").unlink()
    changed = tmp_path / "json" / "Listen.json"
    changed.write_text(changed.read_text(encoding="utf-8").replace("512", "513"), encoding="utf-8")
    (tmp_path / "json" / "Gone.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert export.main(["--root", str(tmp_path), "--check"]) == 1
    told = capsys.readouterr()
    assert told.out.split() == [
        *("stale:", "schemas/asyncapi.json"),
        *("stale:", "schemas/json/Gone.json"),
        *("stale:", "schemas/json/Listen.json"),
    ]
    assert "python -m schemas.export" in told.err
    export.main(["--root", str(tmp_path)])
    assert export.stale(tmp_path) == []


@pytest.mark.parametrize("name", MESSAGES)
@given(data=st.data())
def test_what_the_codec_writes_validates(name: str, data: st.DataObject) -> None:
    message = data.draw(made(MESSAGES[name]))
    wire = encode(message)
    VALIDATORS[name].validate(json.loads(wire))
    assert decode(MESSAGES[name], wire) == message


@pytest.mark.parametrize("name", MESSAGES)
@given(data=st.data())
def test_schema_and_codec_agree_on_a_message_with_one_field_changed(name: str, data: st.DataObject) -> None:
    document = json.loads(encode(data.draw(made(MESSAGES[name]))))
    field = data.draw(st.sampled_from([f.encode_name for f in msgspec.structs.fields(MESSAGES[name])]))
    if data.draw(st.booleans()):
        document.pop(field, None)
    else:
        document[field] = data.draw(ANYTHING)
    assert VALIDATORS[name].is_valid(document) == accepts(name, document)


@pytest.mark.parametrize("document", [None, 1, "x", [], [1]])
@pytest.mark.parametrize("name", MESSAGES)
def test_both_refuse_what_is_no_object(name: str, document: Any) -> None:
    assert not VALIDATORS[name].is_valid(document)
    assert not accepts(name, document)


@given(
    poison=st.text(max_size=2_000),
    partition=st.integers(0, 99),
    offset=st.integers(0, 2**63),
    time=st.integers(-9, 2**53),
)
def test_the_headers_of_a_dead_letter_validate(poison: str, partition: int, offset: int, time: int) -> None:
    poison = poison.encode(errors="replace").decode()
    letter = DeadLetter.of(Poison("bad-json", poison), "listens", partition, offset, time, "profiler")
    headers = {name: value.decode() for name, value in letter.headers()}
    VALIDATORS[export.HEADERS].validate(headers)
    for name in headers:
        missing = {other: value for other, value in headers.items() if other != name}
        assert not VALIDATORS[export.HEADERS].is_valid(missing)
    assert not VALIDATORS[export.HEADERS].is_valid({**headers, "segue.dead.offset": "-1"})


def test_the_asyncapi_document_has_every_topic_with_its_settings() -> None:
    document = export.asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert list(document["channels"]) == [topic.name for topic in topics.TOPICS]
    for topic in topics.TOPICS:
        kafka = document["channels"][topic.name]["bindings"]["kafka"]
        assert (kafka["partitions"], kafka["bindingVersion"]) == (topic.partitions, "0.5.0")
        assert kafka["topicConfiguration"]["cleanup.policy"] == [topic.policy]
    assert document["channels"]["listens"]["bindings"]["kafka"]["topicConfiguration"]["retention.ms"] == -1


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = export.asyncapi()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            found = [part["$ref"]] if "$ref" in part else []
            return found + [ref for value in part.values() for ref in references(value)]
        return [ref for value in part for ref in references(value)] if isinstance(part, list) else []

    assert len(references(document)) > 20
    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_each_topic_has_somebody_who_writes_it_and_is_named_once() -> None:
    sent = {topic.name for _, topics_sent in export.SERVICES.values() for topic in topics_sent}
    assert sent == {topic.name for topic in topics.TOPICS}


@pytest.mark.parametrize("service", export.SERVICES)
def test_a_service_uses_the_topics_that_the_document_says(service: str) -> None:
    """By what its modules take from schemas.topics."""
    names = {name for path in (ROOT / "services" / service).glob("**/*.py") for name in imported(path)}
    used = {getattr(topics, name).name for name in names if isinstance(getattr(topics, name), topics.Topic)}
    received, sent = export.SERVICES[service]
    assert used == {topic.name for topic in (*received, *sent)}


def imported(path: Path) -> set[str]:
    """What a module takes from schemas.topics."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "schemas.topics"]
    return {alias.name for node in taken for alias in node.names}
