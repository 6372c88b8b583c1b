"""docs/schemas.md is what the structs say."""

from pathlib import Path

import pytest

from schemas import page
from schemas.export import HEADERS, messages


def test_the_page_is_up_to_date() -> None:
    assert page.main(["--check"]) == 0


def test_a_stale_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "schemas.md")
    assert page.main(["--check"]) == 1
    assert page.main([]) == 0
    assert page.main(["--check"]) == 0
    page.PAGE.write_text(page.page().replace("`event_id`", "`id`"), encoding="utf-8")
    assert page.main(["--check"]) == 1


@pytest.mark.parametrize("name", [*messages(), HEADERS])
def test_each_message_has_its_fields_there(name: str) -> None:
    section = page.page().split(f"\n## {name}\n")[1].split("\n## ")[0]
    fields = messages()[name].__struct_fields__ if name in messages() else ("segue.dead.cause", "segue.dead.cut")
    assert all(f"| `{field}` |" in section for field in fields)
