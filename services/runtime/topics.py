"""Create and configure the topics that schemas/topics.py says; never delete, never repartition."""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Literal

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import TopicAlreadyExistsError, for_code
from msgspec import Struct, structs

from schemas.topics import LISTENS, PROFILES, RECOMMENDATIONS, TOPICS, Topic
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import admin, consumer, kafka_trouble
from services.runtime.settings import KafkaSettings

# One listener is on the same partition of each, so that a worker owns a listener's whole path.
LISTENER_TOPICS = (LISTENS, PROFILES, RECOMMENDATIONS)
SETTLE = 10.0  # seconds


class Existing(Struct, frozen=True):
    """A topic as the broker has it; `config` is what is in force, defaults included."""

    partitions: int
    config: dict[str, str]


class Change(Struct, frozen=True):
    """What is to be done, or was done, to one topic; "keep" is nothing."""

    topic: str
    action: Literal["create", "configure", "keep"]
    partitions: int
    config: dict[str, str]  # what is set: everything on create, the differences on configure
    before: dict[str, str]  # what these settings were; empty on create


def plan(
    settings: KafkaSettings, partitions: Mapping[str, int] | None = None, replication: int | None = None
) -> tuple[Change, ...]:
    """What `apply` would do, a Change for each topic in the map's order; changes nothing.

    `partitions` overrides counts by topic name. Raises Fatal when a topic exists with another count or the counts are
    unusable, BrokerAway when no broker answers.
    """
    wanted = _wanted(partitions or {}, replication)
    with admin(settings) as client, kafka_trouble("reading the topics"):
        return changes(_existing(client), wanted)


def apply(
    settings: KafkaSettings, partitions: Mapping[str, int] | None = None, replication: int | None = None
) -> tuple[Change, ...]:
    """Create what is missing, set what differs, and say what was done. A second run does nothing.

    `replication` is for topics that are created (None: the broker's default). Raises like `plan`; when it raises Fatal
    for a topic's partitions, nothing has been changed.
    """
    wanted = _wanted(partitions or {}, replication)
    with admin(settings) as client, kafka_trouble("applying the topics"):
        todo = changes(_existing(client), wanted)
        _create(client, todo, replication)
        _configure(client, todo)
        _await(client, wanted)
    _await_leaders(settings, [change for change in todo if change.action == "create"])
    return todo


def changes(existing: Mapping[str, Existing], wanted: tuple[Topic, ...]) -> tuple[Change, ...]:
    """The difference between what there is and what should be. Raises Fatal on a partition count that differs."""
    differing = [t for t in wanted if t.name in existing and existing[t.name].partitions != t.partitions]
    if differing:
        counts = "; ".join(
            f"topic {t.name} has {existing[t.name].partitions} partitions, {t.partitions} are wanted" for t in differing
        )
        raise Fatal(
            f"{counts}. A topic is never repartitioned: its keys would move to other partitions and the profiles' "
            "cursors would point at the wrong listens. Keep the count it has (--partitions), or make new topics and "
            "copy the log into them"
        )
    return tuple(_change(existing.get(topic.name), topic) for topic in wanted)


def _change(old: Existing | None, topic: Topic) -> Change:
    if old is None:
        return Change(topic.name, "create", topic.partitions, topic.settings(), {})
    config = {name: value for name, value in topic.settings().items() if old.config.get(name) != value}
    before = {name: old.config.get(name, "") for name in config}
    return Change(topic.name, "configure" if config else "keep", topic.partitions, config, before)


def _wanted(partitions: Mapping[str, int], replication: int | None) -> tuple[Topic, ...]:
    """The map with its partition counts overridden. Raises Fatal on a name or count that cannot be."""
    names = [topic.name for topic in TOPICS]
    for name, count in partitions.items():
        if name not in names:
            raise Fatal(f"no topic is named {name!r}; there are {', '.join(names)}")
        if count < 1:
            raise Fatal(f"topic {name} cannot have {count} partitions; give 1 or more")
    if replication is not None and replication < 1:
        raise Fatal(f"a replication factor of {replication} keeps nothing; give 1 or more")
    wanted = tuple(structs.replace(topic, partitions=partitions.get(topic.name, topic.partitions)) for topic in TOPICS)
    alike = {t.name: t.partitions for t in wanted if t.name in {same.name for same in LISTENER_TOPICS}}
    if len(set(alike.values())) > 1:
        raise Fatal(
            "listens, profiles and recommendations must have equally many partitions, so that a listener is on the "
            f"same one of each; these were asked for: {', '.join(f'{n} {c}' for n, c in alike.items())}"
        )
    return wanted


def _existing(client: KafkaAdminClient) -> dict[str, Existing]:
    """The broker's topics that the map names."""
    names = {topic.name for topic in TOPICS}
    found = {t["name"]: len(t["partitions"]) for t in client.describe_topics() if t["name"] in names}
    if not found:
        return {}
    resources = [ConfigResource("TOPIC", name) for name in found]
    configs: dict[str, dict[str, Any]] = client.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: Existing(count, {key: str(entry["value"]) for key, entry in configs[name].items()})
        for name, count in found.items()
    }


def _create(client: KafkaAdminClient, todo: tuple[Change, ...], replication: int | None) -> None:
    new = {
        change.topic: {
            "num_partitions": change.partitions,
            "replication_factor": replication or -1,
            "configs": change.config,
        }
        for change in todo
        if change.action == "create"
    }
    if not new:
        return
    for topic in client.create_topics(new, raise_errors=False)["topics"]:
        # Somebody else may have created it meanwhile; whether rightly is seen at the end.
        if topic["error_code"] not in (0, TopicAlreadyExistsError.errno):
            raise for_code(topic["error_code"])(f"topic {topic['name']}: {topic['error_message']}")
    client.wait_for_topics(list(new))


def _configure(client: KafkaAdminClient, todo: tuple[Change, ...]) -> None:
    resources = [ConfigResource("TOPIC", c.topic, dict(c.config)) for c in todo if c.action == "configure"]
    if not resources:
        return
    for topic, result in client.alter_configs(resources)["topic"].items():
        if result != "OK":
            raise Fatal(f"topic {topic}: the broker refused its settings: {result}")


def _await(client: KafkaAdminClient, wanted: tuple[Topic, ...]) -> None:
    """Until the broker itself tells what its controller accepted; the next to ask must not find the old settings."""
    until = time.monotonic() + SETTLE
    while any(change.action != "keep" for change in changes(_existing(client), wanted)):
        if time.monotonic() > until:
            raise BrokerAway(f"the broker does not show the new topics and settings after {SETTLE:g} s; apply again")
        time.sleep(0.05)


def _await_leaders(settings: KafkaSettings, created: list[Change]) -> None:
    """Until every new partition answers: named as a leader, a broker may still refuse the first message."""
    if not created:
        return
    with closing(consumer(settings)) as asking, kafka_trouble("waiting for the new topics"):
        asking.end_offsets([TopicPartition(change.topic, p) for change in created for p in range(change.partitions)])
