"""docs/operations.md says who may do what: the same topics and groups as the code has and README says."""

import re
from pathlib import Path

import pytest

from schemas.topics import TOPICS
from services.outcomes.settings import OutcomesOptions
from services.profiler.settings import ProfilerOptions
from services.scorer.settings import ScorerOptions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
GROUPS = {"profiler": ProfilerOptions().group, "scorer": ScorerOptions().group, "outcomes": OutcomesOptions().group}
NAMES = {topic.name for topic in TOPICS}


def cells(table: str) -> dict[str, list[set[str]]]:
    """First cell -> what stands in backticks in each of the others, of each row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line][2:]
    return {row[0]: [set(re.findall(r"`([^`]+)`", cell)) for cell in row[1:]] for row in rows}


RIGHTS = cells(PAGE.split("<!-- acl -->")[1].split("<!-- /acl -->")[0])
SERVICES = cells(README[README.index("| service | reads | writes |") :].split("\n\n")[0])


@pytest.mark.parametrize("service", ["profiler", "trainer", "scorer", "outcomes"])
def test_a_service_may_do_what_it_does(service: str) -> None:
    reads, writes = next(found for name, found in SERVICES.items() if name.split()[0] == service)
    read, write, group = RIGHTS[service]
    assert (read, write) == (reads & NAMES, writes & NAMES)
    assert group == ({GROUPS[service]} if service in GROUPS else set())


def test_every_topic_is_there_and_no_other() -> None:
    named = set().union(*(found[column] for found in RIGHTS.values() for column in (0, 1)))
    assert named == NAMES
