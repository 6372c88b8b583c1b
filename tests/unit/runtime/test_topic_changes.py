"""What would be done to the topics, without a broker (tests/integration/test_topics.py does it)."""

import pytest

from schemas.topics import LISTENS, PROFILES, TOPICS
from services.runtime import topics
from services.runtime.errors import Fatal
from services.runtime.settings import KafkaSettings
from services.runtime.topics import Existing, changes


def test_nothing_there_creates_everything() -> None:
    made = changes({}, TOPICS)
    assert [change.topic for change in made] == [topic.name for topic in TOPICS]
    assert {change.action for change in made} == {"create"}
    assert made[0].config == LISTENS.settings()


def test_what_is_as_it_should_be_is_kept() -> None:
    existing = {t.name: Existing(t.partitions, {**t.settings(), "segment.bytes": "1"}) for t in TOPICS}
    assert {(change.action, len(change.config)) for change in changes(existing, TOPICS)} == {("keep", 0)}


def test_only_what_differs_is_set_and_what_it_was_is_told() -> None:
    existing = {PROFILES.name: Existing(PROFILES.partitions, {**PROFILES.settings(), "retention.ms": "5"})}
    (change,) = changes(existing, (PROFILES,))
    assert change.action == "configure"
    assert change.config == {"retention.ms": "86400000"}
    assert change.before == {"retention.ms": "5"}


@pytest.mark.parametrize("count", [4, 16])
def test_another_count_is_refused_with_topic_counts_and_reason(count: int) -> None:
    with pytest.raises(Fatal, match=rf"topic listens has {count} partitions, 8 are wanted.*cursors") as error:
        changes({LISTENS.name: Existing(count, {})}, TOPICS)
    assert "keys would move" in str(error.value)


@pytest.mark.parametrize(
    ("partitions", "replication", "told"),
    [
        ({"listen": 4}, None, "no topic is named 'listen'; there are listens, tracks"),
        ({"tracks": 0}, None, "topic tracks cannot have 0 partitions"),
        ({"listens": 4}, None, "equally many partitions.*: listens 4, profiles 8, recommendations 8"),
        (None, 0, "a replication factor of 0"),
    ],
)
def test_counts_that_cannot_be_are_refused_before_a_broker_is_asked(
    partitions: dict[str, int] | None, replication: int | None, told: str
) -> None:
    for run in (topics.plan, topics.apply):
        with pytest.raises(Fatal, match=told):
            run(KafkaSettings("nowhere.invalid:1"), partitions, replication)
