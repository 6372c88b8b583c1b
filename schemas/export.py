"""The messages as documents: a JSON Schema for each in schemas/json/, and schemas/asyncapi.json for the whole.

`python -m schemas.export` writes them, `--check` says which are not what the code says.
"""

import argparse
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.dead_letter import PREFIX, DeadLetter
from schemas.release import Manifest
from schemas.topics import DEAD, LISTENS, OUTCOMES, PROFILES, RECOMMENDATIONS, RELEASES, TOPICS, TRACKS, Topic

VERSION = "0.2.0"  # of the messages: the second number goes up with a new field, the first with anything else
DRAFT = "https://json-schema.org/draft/2020-12/schema"
BINDING = {"bindingVersion": "0.5.0"}
HEADERS = "DeadLetterHeaders"

# Who does what: service -> (what it receives, what it sends).
SERVICES: dict[str, tuple[tuple[Topic, ...], tuple[Topic, ...]]] = {
    "profiler": ((LISTENS,), (PROFILES, DEAD)),
    "trainer": ((LISTENS, TRACKS, RELEASES), (RELEASES,)),
    "scorer": ((PROFILES, RELEASES, TRACKS), (RECOMMENDATIONS,)),
    "outcomes": ((LISTENS, RECOMMENDATIONS), (OUTCOMES,)),
    "importer": ((LISTENS,), (LISTENS, TRACKS)),
    "audit": ((LISTENS, RECOMMENDATIONS, RELEASES, DEAD), ()),
    "report": ((OUTCOMES,), ()),
    "dead": ((DEAD,), (LISTENS, DEAD)),
    "cli": ((RECOMMENDATIONS, RELEASES), (LISTENS,)),
}


def messages() -> dict[str, type[Any]]:
    """Every struct that crosses a process boundary by itself, by name: the topics' values and a release's manifest."""
    kinds: list[type[Any]] = [topic.value for topic in TOPICS if topic.value is not None]
    kinds.append(Manifest)
    return {kind.__name__: kind for kind in kinds}


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one message."""
    (_, components) = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = components.pop(kind.__name__)
    head = {"$schema": DRAFT, "$id": f"urn:segue:schema:{kind.__name__}"}
    return {**head, **_tidy(own), **({"$defs": _tidy(components)} if components else {})}


def headers_schema() -> dict[str, Any]:
    """The JSON Schema of a dead letter's headers, each value decoded as UTF-8: numbers are decimal text."""
    (_, components) = msgspec.json.schema_components([DeadLetter])
    fields = _tidy(components["DeadLetter"])
    return {
        "$schema": DRAFT,
        "$id": f"urn:segue:schema:{HEADERS}",
        "title": HEADERS,
        "description": fields["description"],
        "type": "object",
        "properties": {PREFIX + name: _as_text(field) for name, field in fields["properties"].items()},
        "required": [PREFIX + name for name in fields["required"]],
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: topics, messages and which service receives or sends what."""
    kinds = [topic.value for topic in TOPICS if topic.value is not None]
    (_, components) = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    operations = {
        f"{service}.{action}.{topic.name}": _operation(service, action, topic)
        for service, (received, sent) in SERVICES.items()
        for action, topics in (("receive", received), ("send", sent))
        for topic in topics
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Segue",
            "version": VERSION,
            "description": "An event-driven music recommender: a listen goes in, milliseconds later a fresh list of "
            "recommendations comes out. Generated from schemas/topics.py.",
        },
        "defaultContentType": "application/json",
        "servers": {"broker": {"host": "localhost:9092", "protocol": "kafka", "description": "SEGUE_KAFKA_BOOTSTRAP"}},
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": operations,
        "components": {
            "messages": {_message_name(topic): _message(topic) for topic in TOPICS},
            "schemas": {**_tidy(components), HEADERS: _without_dialect(headers_schema())},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    config: dict[str, Any] = dict(topic.settings())
    config["cleanup.policy"] = [config["cleanup.policy"]]
    if "retention.ms" in config:
        config["retention.ms"] = int(config["retention.ms"])
    kafka = {"topic": topic.name, "partitions": topic.partitions, "topicConfiguration": config, **BINDING}
    name = _message_name(topic)
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": kafka},
    }


def _message(topic: Topic) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    common = {"name": _message_name(topic), "bindings": {"kafka": {"key": key, **BINDING}}}
    if topic.value is None:
        return {
            **common,
            "summary": topic.about,
            "contentType": "application/octet-stream",
            "headers": {"$ref": f"#/components/schemas/{HEADERS}"},
            "payload": {"description": "The bytes as they came; they need not be JSON."},
        }
    summary = inspect.cleandoc(topic.value.__doc__ or "").splitlines()[0]
    return {
        **common,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{topic.value.__name__}"},
    }


def _operation(service: str, action: str, topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_message_name(topic)}"}],
        "summary": f"The {service} {action}s {topic.name}.",
        "tags": [{"name": service}],
    }


def _message_name(topic: Topic) -> str:
    return "DeadLetter" if topic.value is None else str(topic.value.__name__)


def _as_text(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") != "integer":
        return field
    return {"description": field["description"], "type": "string", "pattern": "^[0-9]+$"}


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if not name.startswith("$")}


def _tidy(schema: Any) -> Any:
    """The same with docstrings unindented."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: inspect.cleandoc(value) if name == "description" and isinstance(value, str) else _tidy(value)
        for name, value in schema.items()
    }


def documents() -> dict[str, bytes]:
    """Every document, by its path below schemas/."""
    schemas = {f"json/{name}.json": schema_of(kind) for name, kind in messages().items()}
    all_of_them = {**schemas, f"json/{HEADERS}.json": headers_schema(), "asyncapi.json": asyncapi()}
    return {path: msgspec.json.format(msgspec.json.encode(it), indent=2) + b"\n" for path, it in all_of_them.items()}


def stale(root: Path) -> list[str]:
    """The paths below `root` that are missing, differ from what the code says, or should not be there."""
    wanted = documents()
    there = {path.relative_to(root).as_posix() for path in [*root.glob("json/*"), *root.glob("asyncapi.*")]}
    differing = {path for path in wanted if path in there and (root / path).read_bytes() != wanted[path]}
    return sorted(differing | (wanted.keys() ^ there))


def write(root: Path) -> None:
    """Write every document below `root` and remove those of messages that are no more."""
    wanted = documents()
    for path in stale(root):
        if path not in wanted:
            (root / path).unlink()
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(wanted[path])


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 1 when a check finds a document that is not what the code says."""
    parser = argparse.ArgumentParser(prog="python -m schemas.export", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a document is not up to date")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    paths = stale(options.root)
    if not options.check:
        write(options.root)
    for path in paths:
        sys.stdout.write(f"{'stale' if options.check else 'wrote'}: schemas/{path}\n")
    if options.check and paths:
        sys.stderr.write("run `python -m schemas.export` and commit what it writes\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
