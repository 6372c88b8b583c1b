"""docs/simulate.md names every setting with its default."""

import re
from pathlib import Path

from services.simulator.settings import CrowdSettings

PAGE = Path(__file__).parents[3] / "docs" / "simulate.md"


def test_every_setting_is_in_the_docs_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([-\d.,]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: float(value.replace(",", "")) for name, value in rows}
    settings = CrowdSettings()
    assert told == {name: float(getattr(settings, name)) for name in settings.__struct_fields__}
