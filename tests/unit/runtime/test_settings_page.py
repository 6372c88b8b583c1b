"""docs/settings.md has every setting of every service with its default, and none that is no more."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from services.cli import settings_page
from services.cli.settings_page import PAGE, every_section, sections, service_structs, text
from services.runtime.settings import FREE, PREFIX, SECTIONS, load

ROW = re.compile(r"^\| `(SEGUE_\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)


def every_setting() -> dict[str, Any]:
    """Variable -> default."""
    return {
        f"{PREFIX}{section}_{field.name}".upper(): field.default
        for kind in service_structs()
        for section, struct in sections(kind).items()
        for field in msgspec.structs.fields(struct)
    }


SETTINGS = every_setting()
ROWS = {name: (default, unit) for name, default, _, unit, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))}


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


def test_the_page_is_what_the_structs_say() -> None:
    assert settings_page.main(["--check"]) == 0


def test_a_stale_page_and_a_setting_without_words_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(settings_page, "PAGE", tmp_path / "settings.md")
    settings_page.PAGE.write_text(
        old.replace("`500` | whole number ≥ 1 | tracks", "`50` | text | tracks"), encoding="utf-8"
    )
    assert settings_page.main(["--check"]) == 1
    assert settings_page.main([]) == 0
    assert settings_page.PAGE.read_text(encoding="utf-8") == old
    lost = re.sub(r"(?m)^\| `SEGUE_ALS_ALPHA` .*\n", "", old)
    settings_page.PAGE.write_text(lost, encoding="utf-8")
    assert settings_page.main([]) == 1
    assert settings_page.missing(settings_page.PAGE.read_text(encoding="utf-8")) == [
        "unit and meaning of SEGUE_ALS_ALPHA"
    ]


def test_every_section_has_a_table() -> None:
    assert set(every_section()) == set(SECTIONS)
