"""docs/schemas.md: each message, field by field. `python -m schemas.page` writes it, `--check` tells if it is stale."""

import argparse
import sys
from pathlib import Path
from typing import Any

from schemas.export import HEADERS, headers_schema, messages, schema_of
from schemas.topics import DEAD, TOPICS

PAGE = Path(__file__).parents[1] / "docs" / "schemas.md"
HEAD = """# Schema reference

Generated from the structs in [schemas/](../schemas) by `python -m schemas.page`; a test holds it to them. What the
messages are for, and how they may change: [events](events.md). The same for machines: [JSON Schemas](../schemas/json)
and [AsyncAPI](../schemas/asyncapi.json). A field without a default is required; an unknown field is skipped.
"""
# JSON Schema's keywords for a value's limits, and how they are shown.
LIMITS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}",
    "minLength": "at least {} long", "maxLength": "at most {} long", "maxItems": "at most {} items",
    "minItems": "at least {} items", "pattern": "`{}`",
}  # fmt: skip
LARGEST = 2**53  # the largest whole number that JSON keeps


def page() -> str:
    """The whole page."""
    sections = [_section(name, schema_of(kind), _topic_of(kind)) for name, kind in messages().items()]
    sections.append(_section(HEADERS, headers_schema(), f"headers of `{DEAD.name}`"))
    return HEAD + "\n" + "\n".join(sections)


def _topic_of(kind: type[Any]) -> str:
    for topic in TOPICS:
        if topic.value is kind:
            return f"topic `{topic.name}`, key {topic.key}"
    return "a file of a release"


def _section(name: str, schema: dict[str, Any], where: str) -> str:
    lines = [f"## {name}", "", f"*{where}.* [JSON Schema](../schemas/json/{name}.json)", "", schema["description"], ""]
    lines += _table(schema)
    for inner, definition in schema.get("$defs", {}).items():
        lines += [f"### {name}: {inner}", "", definition.get("description", ""), "", *_table(definition)]
    return "\n".join(lines)


def _table(schema: dict[str, Any]) -> list[str]:
    required = set(schema.get("required", ()))
    rows = ["| field | type | default | limits | what it is |", "|---|---|---|---|---|"]
    for name, field in schema.get("properties", {}).items():
        options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
        default = "required" if name in required else _plain(field.get("default", ""))
        cells = [
            f"`{name}`",
            " or ".join(_kind(option) for option in options) + (" or null" if len(options) < len(_any(field)) else ""),
            default,
            "; ".join(limit for option in options for limit in _limits(option)),
            _about(field, options),
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in cells) + " |")
    return [*rows, ""]


def _any(field: dict[str, Any]) -> list[dict[str, Any]]:
    return list(field.get("anyOf", [field]))


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {' or '.join(_kind(each) for each in _any(schema['additionalProperties']))}"
    return kind


def _limits(schema: dict[str, Any]) -> list[str]:
    found = {name: schema[name] for name in LIMITS if name in schema and schema[name] != LARGEST}
    return [LIMITS[name].format(value) for name, value in found.items()]


def _about(field: dict[str, Any], options: list[dict[str, Any]]) -> str:
    told = [part["description"] for part in (field, *options) if part.get("description")]
    return " ".join(told[0].split()) if told else ""


def _plain(value: object) -> str:
    return "null" if value is None else f"`{value}`" if value != "" else "empty"


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 1 when a check finds the page stale."""
    parser = argparse.ArgumentParser(prog="python -m schemas.page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is not up to date")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.stderr.write("docs/schemas.md is stale: run `python -m schemas.page` and commit what it writes\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
