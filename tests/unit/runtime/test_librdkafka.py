"""Clients over librdkafka: the same decisions as kafka-python's, and errors that say what to do."""

import socket

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import servers
from services.runtime.librdkafka import connection, member, producer, rdkafka_trouble
from services.runtime.settings import BadSetting, KafkaSettings

SECURED = KafkaSettings("a:1,b:2", "SASL_SSL", "svc", "secret")


@pytest.mark.parametrize("settings", [KafkaSettings(), KafkaSettings("a:1, b:2")])
def test_plain_connections_name_all_brokers_and_make_no_topics(settings: KafkaSettings) -> None:
    made = connection(settings, "test")
    assert made["bootstrap.servers"] == ",".join(servers(settings))
    assert made["allow.auto.create.topics"] is False
    assert not any(name.startswith(("sasl.", "ssl.")) for name in made)


def test_a_secured_connection_gives_name_and_password_under_tls() -> None:
    made = connection(SECURED, "test")
    assert (made["security.protocol"], made["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (made["sasl.username"], made["sasl.password"]) == ("svc", "secret")
    assert "ssl.ca.location" not in made  # the system's


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (KafkaSettings(security="SASL_SSL", user="svc"), "SEGUE_KAFKA_PASSWORD is not set"),
        (KafkaSettings(user="svc"), "SEGUE_KAFKA_USER is set but SEGUE_KAFKA_SECURITY is PLAINTEXT"),
        (KafkaSettings("a:1", "SASL_SSL", "svc", "x", "nowhere.pem"), r"SEGUE_KAFKA_CA='nowhere.pem': cannot read"),
        (KafkaSettings("broker"), "'broker' is not host:port"),
    ],
)
def test_what_is_half_configured_is_refused(settings: KafkaSettings, told: str) -> None:
    for make in (lambda: producer(settings, "test", {}), lambda: member(settings, "group", "test", {})):
        with pytest.raises(BadSetting, match=told):
            make()


def test_librdkafka_takes_every_setting() -> None:
    """It refuses what it does not know, at once; nothing is connected to before it is asked for something."""
    Producer({**connection(SECURED, "test"), "partitioner": "murmur2_random"})
    with pytest.raises(KafkaException, match="No such configuration property"):
        Consumer({**connection(KafkaSettings(), "test"), "group.id": "g", "fetch.min": 1})


def test_something_that_is_no_broker_is_a_broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.librdkafka.BOOTSTRAP_MS", 500)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = KafkaSettings(f"127.0.0.1:{mute.getsockname()[1]}")
        for make in (lambda: producer(settings, "test", {}), lambda: member(settings, "group", "test", {})):
            with pytest.raises(BrokerAway, match=r"something listens at .*, but not a broker that is ready for PLAIN"):
                make()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, Fatal),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, Fatal),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, BrokerAway),
        (KafkaError.NOT_ENOUGH_REPLICAS, BrokerAway),
        (KafkaError._ALL_BROKERS_DOWN, BrokerAway),
        (KafkaError._FATAL, BrokerAway),  # of the producer, which is thrown away
    ],
)
def test_what_a_retry_may_mend_is_transient_and_the_rest_fatal(code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="sending: "), rdkafka_trouble("sending"):
        raise KafkaException(KafkaError(code))


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyError), rdkafka_trouble("sending"):
        raise KeyError
