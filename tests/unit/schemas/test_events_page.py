"""docs/events.md tells of every topic, every field that a producer or reader meets, and every header."""

import re
from pathlib import Path

import msgspec
import pytest

from schemas.dead_letter import PREFIX, DeadLetter
from schemas.topics import LISTENS, TOPICS, TRACKS, Topic

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (\d+) \| (.+) \|$", re.MULTILINE)
DAY_MS = 86_400_000


def kept(topic: Topic) -> str:
    if topic.policy == "compact":
        return "the newest of each key"
    if topic.retention_ms is None:
        return "for ever"
    days = topic.retention_ms // DAY_MS
    return f"{days} day" if days == 1 else f"{days} days"


def test_the_table_is_the_map() -> None:
    rows = {name: (key.strip("`"), int(partitions), kept) for name, key, _, partitions, kept in ROW.findall(PAGE)}
    assert rows == {topic.name: (topic.key, topic.partitions, kept(topic)) for topic in TOPICS}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_topic_has_a_chapter(topic: Topic) -> None:
    assert f"\n## {topic.name}\n" in PAGE


@pytest.mark.parametrize("topic", [LISTENS, TRACKS], ids=lambda topic: topic.name)
def test_each_field_that_a_producer_may_set_is_there(topic: Topic) -> None:
    assert topic.value is not None
    chapter = PAGE.split(f"\n## {topic.name}\n")[1].split("\n## ")[0]
    for field in msgspec.structs.fields(topic.value):
        assert f"`{field.name}`" in chapter or field.name == topic.key


@pytest.mark.parametrize("header", [PREFIX + name for name in DeadLetter.__struct_fields__])
def test_each_header_is_there(header: str) -> None:
    assert f"`{header}`" in PAGE


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 8
    for link in links:
        assert (Path(__file__).parents[3] / "docs" / link).exists(), link


def test_each_cause_of_a_dead_letter_is_there() -> None:
    root = Path(__file__).parents[3]
    code = "".join((root / path).read_text(encoding="utf-8") for path in ("schemas/codec.py", "models/admission.py"))
    causes = set(re.findall(r'Poison\("([\w-]+)"', code))
    assert len(causes) > 3
    assert {cause for cause in causes if f"`{cause}`" not in PAGE} == set()
