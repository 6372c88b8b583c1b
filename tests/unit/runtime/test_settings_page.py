"""docs/settings.md has every setting of every service with its default, and none that is no more."""

import importlib.util
import pkgutil
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

import services
from services.runtime.settings import FREE, PREFIX, SECTIONS, load

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(SEGUE_\w+)` \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)


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


def every_setting() -> dict[str, Any]:
    """Variable -> default."""
    return {
        f"{PREFIX}{section}_{field.name}".upper(): field.default
        for kind in service_structs()
        for section, struct in sections(kind).items()
        for field in msgspec.structs.fields(struct)
    }


def text(default: Any) -> str:
    """A default as one writes it into the environment."""
    if default is None:
        return "null"
    return str(default).lower() if isinstance(default, bool) else str(default)


SETTINGS = every_setting()
ROWS = {name: (default, unit) for name, default, unit, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def test_the_services_are_found() -> None:
    assert {"ProfilerSettings", "ScorerSettings", "TrainerSettings"} <= {kind.__name__ for kind in service_structs()}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_on_the_page_with_its_default_and_unit(name: str) -> None:
    assert name in ROWS, f"{name} is missing from {PAGE.name}"
    default = text(SETTINGS[name])
    assert ROWS[name][0] == (f"`{default}`" if default else "empty")
    assert ROWS[name][1].strip()


def test_the_page_has_no_setting_that_is_no_more() -> None:
    assert ROWS.keys() - SETTINGS.keys() == set()
    assert all(f"`{name}`" in PAGE.read_text(encoding="utf-8") for name in FREE)


@pytest.mark.parametrize("kind", service_structs(), ids=lambda kind: kind.__name__)
def test_every_setting_can_be_given_by_the_environment(kind: type[Struct]) -> None:
    """Also: no two services mean different things by one section."""
    assert load(kind, {name: text(default) for name, default in SETTINGS.items()}) == kind()


def test_every_section_that_is_known_is_read_by_somebody() -> None:
    assert {section for kind in service_structs() for section in sections(kind)} == set(SECTIONS)
