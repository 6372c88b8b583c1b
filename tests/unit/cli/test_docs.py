"""What README.md and docs/ tell people to type is what the command line understands."""

import re
from pathlib import Path

import pytest

from tests.unit.cli.test_commands import COMMANDS, parse

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:SEGUE_\w+=\S+ )*segue [^`\n]+)`")
NOT_MEANT_TO_RUN = re.compile(
    r"…|\.\.\.|\||<|\b[A-Z]{4,}…?\b(?!_)"
)  # `segue import FORMAT FILE…`, `segue releases a|b`


def commands(page: Path) -> list[str]:
    """Each `segue …` of a page's code blocks, and those in its text that are whole."""
    text = page.read_text(encoding="utf-8")
    lines = [line.split("  #")[0].split(" # ")[0] for block in BLOCK.findall(text) for line in block.splitlines()]
    spoken = [part.strip() for line in lines for part in line.split(" & ")]
    typed = [part.rstrip(" &") for part in spoken if re.match(r"(SEGUE_\w+=\S+ )*segue ", part)]
    inline = [found for found in INLINE.findall(BLOCK.sub("", text)) if len(found.split()) > 2]
    return [line for line in [*typed, *inline] if not NOT_MEANT_TO_RUN.search(line)]


LINES = [(page, line) for page in PAGES for line in commands(page)]


def test_the_pages_are_read() -> None:
    assert sum(page.name == "README.md" for page, _ in LINES) >= 8
    assert ("import.md", "segue import spotify my_spotify_data.zip --user me") in {(p.name, x) for p, x in LINES}


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page.name}: {line}" for page, line in LINES])
def test_a_documented_command_parses(page: Path, line: str) -> None:
    assert parse(line) in COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
