"""Connection settings for both drivers; half-configured security never starts."""

import asyncio
import socket
import ssl
import threading
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError

from services.runtime import kafka_clients
from services.runtime.errors import BrokerAway, Fatal
from services.runtime.kafka_clients import (
    CONSUMER,
    PRODUCER,
    aio_connection,
    connection,
    consumer,
    kafka_trouble,
    producer,
    servers,
    wait_for_broker,
)
from services.runtime.settings import BadSetting, KafkaSettings

SECURED = KafkaSettings("a:1,b:2", "SASL_SSL", "svc", "x")


def nobody() -> str:
    """An address where nothing listens: a port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_plain_text_needs_nothing_else() -> None:
    assert connection(KafkaSettings("a:1, b:2,"), "me") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "me",
        "security_protocol": "PLAINTEXT",
    }


def test_security_is_scram_over_tls_that_checks_the_broker() -> None:
    made = connection(SECURED)
    assert made["security_protocol"] == "SASL_SSL"
    assert made["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (made["sasl_plain_username"], made["sasl_plain_password"]) == ("svc", "x")
    assert made["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert made["ssl_context"].check_hostname


def test_aiokafka_takes_the_same_names() -> None:
    async def make() -> None:
        await AIOKafkaProducer(**aio_connection(SECURED), acks="all", enable_idempotence=True).stop()

    asyncio.run(make())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (KafkaSettings(security="SASL_SSL"), "SEGUE_KAFKA_USER is not set"),
        (KafkaSettings(security="SASL_SSL", user="svc"), "SEGUE_KAFKA_PASSWORD is not set"),
        (KafkaSettings(user="svc"), "SEGUE_KAFKA_USER is set but SEGUE_KAFKA_SECURITY is PLAINTEXT"),
        (KafkaSettings("a:1", "PLAINTEXT", "", "x"), "SEGUE_KAFKA_PASSWORD is set but"),
        (KafkaSettings(ca="ca.pem"), "SEGUE_KAFKA_CA is set but"),
        (KafkaSettings("a:1", "SASL_SSL", "svc", "x", "nowhere.pem"), r"SEGUE_KAFKA_CA='nowhere.pem': cannot read"),
        (KafkaSettings("a:1", "SASL_SSL", "svc", "x", __file__), r"SEGUE_KAFKA_CA=.*: cannot read certificates"),
    ],
)
def test_half_configured_security_is_refused(settings: KafkaSettings, told: str) -> None:
    for arguments in (connection, aio_connection):
        with pytest.raises(BadSetting, match=told):
            arguments(settings)


@pytest.mark.parametrize(
    ("bootstrap", "told"),
    [("", "is empty"), (" , ", "is empty"), ("broker", "'broker' is not host:port"), ("a:1,b:x", "'b:x' is not")],
)
def test_an_address_that_is_none_is_named(bootstrap: str, told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        servers(KafkaSettings(bootstrap))


def test_an_address_may_be_ipv6() -> None:
    assert servers(KafkaSettings("[::1]:9092")) == ["[::1]:9092"]


def test_the_drivers_know_every_setting() -> None:
    """kafka-python refuses unknown settings, but only once it has a broker to talk to."""
    assert CONSUMER.keys() < KafkaConsumer.DEFAULT_CONFIG.keys()
    assert PRODUCER.keys() < KafkaProducer.DEFAULT_CONFIG.keys()
    assert connection(SECURED).keys() < KafkaAdminClient.DEFAULT_CONFIG.keys()


def test_a_broker_away_is_said_with_what_to_do_and_leaves_no_thread() -> None:
    before, started = threading.active_count(), time.monotonic()
    address = nobody()
    with pytest.raises(
        BrokerAway,
        match=rf"no broker answers at {address} \(.*refused\); start one with `segue up` or set SEGUE_KAFKA_BOOT",
    ):
        wait_for_broker(KafkaSettings(address), 0.3)
    assert 0.3 <= time.monotonic() - started < 2
    assert threading.active_count() == before


@pytest.mark.parametrize("make", [consumer, producer])
def test_something_that_is_no_broker_is_a_broker_away(make: Any) -> None:
    """A server that accepts and says nothing; what the driver began must be ended all the same."""
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = KafkaSettings(f"127.0.0.1:{mute.getsockname()[1]}")
        with pytest.raises(BrokerAway, match=r"something listens at .*, but not a broker that is ready for PLAINTEXT"):
            make(settings, bootstrap_timeout_ms=500, request_timeout_ms=501)
    assert threading.active_count() == before


def test_what_a_retry_may_mend_is_transient_and_the_rest_fatal() -> None:
    with pytest.raises(BrokerAway, match="sending: KafkaTimeoutError"), kafka_trouble("sending"):
        raise KafkaTimeoutError
    with pytest.raises(Fatal, match=r"sending: .*TopicAuthorizationFailed"), kafka_trouble("sending"):
        raise TopicAuthorizationFailedError
    with pytest.raises(KeyError), kafka_trouble("sending"):
        raise KeyError


def test_whoever_secures_is_also_told_of_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise KafkaTimeoutError

    monkeypatch.setattr(kafka_clients, "knock", lambda *_: 0.0)
    monkeypatch.setattr(kafka_clients, "KafkaAdminClient", refuse)
    with pytest.raises(BrokerAway, match=r"refuses user 'svc': .*SEGUE_KAFKA_PASSWORD"):
        wait_for_broker(SECURED, 1)
