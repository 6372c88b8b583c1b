"""docs/settings.md from the settings structs: `python -m services.cli.settings_page`; `--check` tells if it is stale.

Which settings there are, their defaults and what they allow come from the structs. Unit and meaning are the page's own
words, kept by name; one that has none yet fails the check until somebody writes them.
"""

import argparse
import importlib
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, inspect

import services
from services.runtime.settings import PREFIX

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = ["| variable | default | allowed | unit | what it is |", "|---|---|---|---|---|"]
TABLE = re.compile(r"^## (\w+)\b(?:(?!^## ).)*?\n\n((?:^\|[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
UNSAID = "?"
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def service_structs() -> list[type[Struct]]:
    """The structs in services/*/settings.py that have nothing but sections: what a process reads."""
    names = [f"services.{module.name}.settings" for module in pkgutil.iter_modules(services.__path__) if module.ispkg]
    modules = [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
    kinds = {k for module in modules for k in vars(module).values() if isinstance(k, type) and issubclass(k, Struct)}
    return sorted((kind for kind in kinds if sections(kind)), key=lambda kind: kind.__name__)


def sections(kind: type[Struct]) -> dict[str, type[Struct]]:
    """Its sections, by name; none when any field is a plain value."""
    fields = msgspec.structs.fields(kind)
    found = {f.name: f.type for f in fields if isinstance(f.type, type) and issubclass(f.type, Struct)}
    return found if len(found) == len(fields) else {}


def every_section() -> dict[str, type[Struct]]:
    """Section -> struct, of all services; no two mean different things by one name."""
    return {name: struct for kind in service_structs() for name, struct in sections(kind).items()}


def text(default: Any) -> str:
    """A default as one writes it into the environment."""
    if default is None:
        return "null"
    return str(default).lower() if isinstance(default, bool) else str(default)


def allowed(kind: inspect.Type) -> str:
    """What values there may be, in words."""
    match kind:
        case inspect.Metadata():
            return allowed(kind.type)
        case inspect.UnionType():
            return " or ".join(allowed(each) for each in kind.types)
        case inspect.LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values)
        case inspect.BoolType():
            return "`true`, `false`"
        case inspect.NoneType():
            return "`null`"
        case inspect.IntType() | inspect.FloatType():
            name = "whole number" if isinstance(kind, inspect.IntType) else "number"
            limits = [f"{sign} {getattr(kind, key)}" for key, sign in BOUNDS.items() if getattr(kind, key) is not None]
            return " ".join([name, ", ".join(limits)]).strip()
        case _:
            return "text"


def rows(section: str, struct: type[Struct], words: dict[str, tuple[str, str]]) -> list[str]:
    """The lines of one section's table."""
    shown = inspect.type_info(struct)
    lines = []
    for field in shown.fields if isinstance(shown, inspect.StructType) else ():
        name = f"{PREFIX}{section}_{field.name}".upper()
        unit, what = words.get(name, (UNSAID, UNSAID))
        values, default = allowed(field.type), text(field.default)
        cells = (
            f"`{name}`",
            f"`{default}`" if default else "empty",
            values,
            "–" if values.startswith("`") else unit,
            what,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*HEAD, *lines]


def page(old: str) -> str:
    """The page anew: its own prose and words, the structs' settings. Raises KeyError on a section that is no more."""
    known = every_section()

    def table(found: re.Match[str]) -> str:
        section = found[1]
        lines = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in found[2].splitlines()[2:]]
        words = {cells[0].strip("`"): (cells[-2], cells[-1]) for cells in lines}
        return found[0].removesuffix(found[2]) + "\n".join(rows(section, known[section], words)) + "\n"

    return TABLE.sub(table, old)


def missing(new: str) -> list[str]:
    """What a person has to write: sections without a table, settings without words."""
    tables = {name for name, _ in TABLE.findall(new)}
    return [f"a table for the section {name}" for name in every_section().keys() - tables] + [
        f"unit and meaning of {name}" for name in re.findall(rf"^\| `(\w+)` .* \| \{UNSAID} \|$", new, re.MULTILINE)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 1 when the page is stale or lacks words."""
    parser = argparse.ArgumentParser(prog="python -m services.cli.settings_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is not up to date")
    check = parser.parse_args(arguments).check
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if not check and new != old:
        PAGE.write_text(new, encoding="utf-8")
    if check and new != old:
        sys.stderr.write("docs/settings.md is stale: run `python -m services.cli.settings_page`\n")
    for what in missing(new):
        sys.stderr.write(f"docs/settings.md lacks {what}\n")
    return int((check and new != old) or bool(missing(new)))


if __name__ == "__main__":
    sys.exit(main())
