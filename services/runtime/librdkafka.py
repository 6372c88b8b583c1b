"""Clients over librdkafka (confluent-kafka), for the way of a list: no listener waits for another part of Kafka.

kafka-python's producer has a thread that needs Python's lock several times a request: 1.7 ms of processor time for a
list that is sent alone, where librdkafka's takes 0.4 and never waits for us (docs/decisions/0011). What is decided in
kafka_clients about security, durability and latency is decided the same here.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import (
    BOOTSTRAP_MS,
    CONSUMER,
    MECHANISM,
    METADATA_MS,
    PRODUCER,
    RECONNECT,
    knock,
    not_ready,
    secured,
    servers,
)
from services.runtime.settings import KafkaSettings

C = TypeVar("C", Producer, Consumer)

log = logging.getLogger(__name__)

WARNINGS = 4  # syslog's level: it tells of every connection attempt at 6, its own default
COMMON: dict[str, Any] = {
    "log_level": WARNINGS,
    "reconnect.backoff.ms": RECONNECT["reconnect_backoff_ms"],
    "reconnect.backoff.max.ms": RECONNECT["reconnect_backoff_max_ms"],
    "topic.metadata.refresh.interval.ms": METADATA_MS,
    "allow.auto.create.topics": False,
    "socket.nagle.disable": True,  # else small requests wait for each other's acknowledgement
    "enable.metrics.push": False,  # the services have their own
}
QUEUED_KB = 8_192  # of fetched messages at hand; its own 64 MB would be memory for nothing
TOLD = 10  # lines of a client's log that are written before it is given up
FULL_MS = 10  # until it looks again whether there is room for more; its own second is a stall
# No retry will mend these; all others pass, if only because a producer that has had enough is thrown away.
LASTING = {
    KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_EXCEPTION,
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT, KafkaError._INVALID_ARG,  # noqa: SLF001  # its name for its own errors
}  # fmt: skip


def connection(settings: KafkaSettings, client: str) -> dict[str, Any]:
    """What every client takes. Raises BadSetting on half-configured security."""
    common = {
        **COMMON,
        "bootstrap.servers": ",".join(servers(settings)),
        "client.id": client,
        "security.protocol": settings.security,
    }
    if not secured(settings):
        return common
    certificates = {"ssl.ca.location": settings.ca} if settings.ca else {}
    return {
        **common,
        **certificates,
        "sasl.mechanism": MECHANISM,
        "sasl.username": settings.user,
        "sasl.password": settings.password,
    }


def producer(settings: KafkaSettings, client: str, more: Mapping[str, Any]) -> Producer:
    """A producer of raw bytes: acks from all in-sync replicas, idempotent, no waiting for company, no end of retrying.

    `more`: librdkafka's settings, by its names. A key's hash says its partition as everywhere else.
    Raises BrokerAway when no broker answers, Fatal when its certificate is not trusted, BadSetting on bad security.
    """
    config = {
        **connection(settings, client),
        "acks": PRODUCER["acks"],
        "enable.idempotence": PRODUCER["enable_idempotence"],
        "linger.ms": PRODUCER["linger_ms"],
        "request.timeout.ms": PRODUCER["request_timeout_ms"],
        "message.timeout.ms": 0,  # never: who waits decides when it has been enough
        "partitioner": "murmur2_random",  # Kafka's own: librdkafka's would put a listener somewhere else
        **more,
    }
    return _open(Producer, settings, config)


def member(settings: KafkaSettings, group: str, client: str, more: Mapping[str, Any]) -> Consumer:
    """A consumer of raw bytes, in a group, not subscribed yet. Offsets are the caller's to commit.

    `more`: librdkafka's settings, by its names. Raises as `producer` does.
    """
    config = {
        **connection(settings, client),
        "group.id": group,
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_ms,
        "enable.auto.commit": CONSUMER["enable_auto_commit"],
        "enable.auto.offset.store": False,
        "auto.offset.reset": CONSUMER["auto_offset_reset"],
        "fetch.min.bytes": CONSUMER["fetch_min_bytes"],
        "fetch.wait.max.ms": CONSUMER["fetch_max_wait_ms"],
        "queued.max.messages.kbytes": QUEUED_KB,
        "fetch.queue.backoff.ms": FULL_MS,
        **more,
    }
    return _open(Consumer, settings, config)


def _open(kind: type[C], settings: KafkaSettings, config: dict[str, Any]) -> C:
    """A client that a broker has answered; by itself it would connect only when it is asked for something."""
    left_s = BOOTSTRAP_MS / 1000 - knock(settings, BOOTSTRAP_MS / 1000)
    made = kind(config, logger=log)
    try:
        made.list_topics(timeout=max(0.001, left_s))
    except KafkaException as error:
        for _ in range(TOLD):
            made.poll(0)  # writes a line to the log, which waits in it until then
        raise not_ready(settings) from error
    return made


@contextmanager
def rdkafka_trouble(what: str) -> Iterator[None]:
    """Turn librdkafka's errors into ours: LASTING ones into Fatal, the rest into BrokerAway."""
    try:
        yield
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() in LASTING:
            raise Fatal(f"{what}: {error}") from exception
        raise BrokerAway(f"{what}: {error}") from exception
