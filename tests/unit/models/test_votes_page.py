"""The table of votes in docs/lists.md against those of the code."""

import re
from pathlib import Path

from models.recommender import ONLY, OTHERS, VOTES

PAGE = (Path(__file__).parents[3] / "docs" / "lists.md").read_text(encoding="utf-8")


def row_of(mix: str) -> str:
    """What the page's table says of the weights of a mix."""
    found = re.search(rf"^\| `{mix}` \|.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    assert found, mix
    return found[1]


def test_the_page_has_the_weights_of_the_code() -> None:
    for mix, votes in VOTES.items():
        assert {name: float(weight) for name, weight in re.findall(r"`(\w+)` ([\d.]+)", row_of(mix))} == votes
    assert f"The weights are {OTHERS} but for these" in PAGE


def test_mixes_of_one_kind_count_as_the_week_does() -> None:
    for mix in ONLY:
        assert row_of(mix) == "as `for-you`"
