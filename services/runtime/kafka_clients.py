"""Kafka clients, configured in one place: kafka-python (plain loops) and aiokafka (asyncio loops).

kafka-python's are made here; aiokafka's are made where they are used, from `aio_connection`, and librdkafka's in
librdkafka.py, from the same constants. So security is decided once; durability and latency too, but for aiokafka.
"""

import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from services.runtime.errors import BrokerAway, Fatal
from services.runtime.settings import BadSetting, KafkaSettings

with warnings.catch_warnings():
    # kafka-python 3.0.12 reads its schemas by a call that Python 3.11 and 3.12 deprecate.
    warnings.filterwarnings("ignore", r"(read|open)_text is deprecated", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
    from kafka import errors as kafka_errors
    from kafka.net.compat import KafkaNetClient

C = TypeVar("C")

MECHANISM = "SCRAM-SHA-512"
BOOTSTRAP_MS = 5_000  # short: a constructor that waits neither beats nor stops, so the caller tries again (retry.py)

# What was measured: one message every 10 ms through consumer -> poll -> send -> consumer, three processes and a
# Kafka 4.1 broker on two shared cores, five interleaved rounds of 300. Produce to poll in the next process: 2.5 ms
# (median of medians), p95 4.7 ms. Round trip over both topics: 4.6 ms, p95 7.4 ms. Not to be told from noise (medians
# 4.2 to 5.2 ms, in no steady order): idempotence off, acks=1, metrics on, CRC checks off, fetch sessions off,
# fetch_max_wait_ms 5, the partition given, flush() after each send. So the safe settings cost nothing here.
# What did tell: a main thread that computes 6 ms after send() holds the GIL from the I/O thread: round trips of 10.0,
# 10.5, 12.5 ms; with sys.setswitchinterval(0.0005) 7.5, 8.6, 9.3 ms. A service that computes between polls: set it.
# Trap: poll(timeout_ms=10) never joined a group in 8 s, 50 took 0.2 s: a join that ends outside poll() begins again.
# Poll with 100 ms or more; it returns at once when there is something.

METADATA_MS = 3_000  # topics that are made, or grow, after a consumer has joined its group are found this late at most

# A broker that was away for a minute is found again within a second; kafka-python's own ceiling is 30 s.
RECONNECT = {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 1_000}

CONSUMER: dict[str, Any] = {
    **RECONNECT,
    "enable_auto_commit": False,  # an offset is committed by whoever knows that its effect stands
    "auto_offset_reset": "earliest",
    "metadata_max_age_ms": METADATA_MS,  # the clients' own is 5 minutes
    "fetch_min_bytes": 1,  # answer as soon as there is one message
    "fetch_max_wait_ms": 500,  # how long an idle fetch stays at the broker; a message ends the wait
    "metrics_enabled": False,  # the services have their own
}

PRODUCER: dict[str, Any] = {
    **RECONNECT,
    "acks": "all",
    "enable_idempotence": True,  # a retry neither doubles nor reorders
    "linger_ms": 0,
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 30_000,  # then the caller hears of it and holds its offset; kafka-python's own is 120 s
    "max_block_ms": 10_000,  # that send() may wait for metadata; its own is 60 s
    "metrics_enabled": False,
}


def connection(settings: KafkaSettings, client: str = "segue") -> dict[str, Any]:
    """Connection arguments that every kafka-python client takes. Raises BadSetting on half-configured security."""
    common = {"bootstrap_servers": servers(settings), "client_id": client, "security_protocol": settings.security}
    if not secured(settings):
        return common
    return {
        **common,
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": settings.user,
        "sasl_plain_password": settings.password,
        "ssl_context": ssl_context(settings),
    }


def secured(settings: KafkaSettings) -> bool:
    """Whether the broker is spoken to under TLS, by name and password. Raises BadSetting on half of that."""
    if settings.security == "PLAINTEXT":
        given = [name for name in ("user", "password", "ca") if getattr(settings, name)]
        if given:
            raise BadSetting(
                f"SEGUE_KAFKA_{given[0].upper()} is set but SEGUE_KAFKA_SECURITY is PLAINTEXT, which ignores it and "
                "sends everything in clear text; set SEGUE_KAFKA_SECURITY=SASL_SSL or unset it"
            )
        return False
    for name in ("user", "password"):
        if not getattr(settings, name):
            raise BadSetting(f"SEGUE_KAFKA_SECURITY is {settings.security} but SEGUE_KAFKA_{name.upper()} is not set")
    return True


def aio_connection(settings: KafkaSettings, client: str = "segue") -> dict[str, Any]:
    """The same for aiokafka, whose names happen to be the same. Raises BadSetting on half-configured security."""
    return connection(settings, client)


def servers(settings: KafkaSettings) -> list[str]:
    """Broker addresses, "host:port" each. Raises BadSetting naming the one that is not."""
    addresses = [part.strip() for part in settings.bootstrap.split(",") if part.strip()]
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise BadSetting(f"SEGUE_KAFKA_BOOTSTRAP={settings.bootstrap!r}: {address!r} is not host:port")
    if not addresses:
        raise BadSetting("SEGUE_KAFKA_BOOTSTRAP is empty; give host:port, several separated by commas")
    return addresses


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    """TLS that checks the broker's certificate and name, against `kafka.ca` or else the system's authorities."""
    try:
        return ssl.create_default_context(cafile=settings.ca or None)
    except (OSError, ssl.SSLError) as error:
        raise BadSetting(f"SEGUE_KAFKA_CA={settings.ca!r}: cannot read certificates from it: {error}") from error


def consumer(
    settings: KafkaSettings, *topics: str, group: str | None = None, client: str = "segue", **more: Any
) -> KafkaConsumer:
    """A consumer of raw bytes, subscribed to `topics` (none: the caller assigns). Offsets are the caller's to commit.

    `more` overrides any kafka-python setting. Raises BrokerAway when no broker answers, BadSetting on bad security.
    """
    member = {
        "group_id": group,
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": settings.heartbeat_ms,
    }
    made = _open(KafkaConsumer, settings, *topics, **{**connection(settings, client), **CONSUMER, **member, **more})
    if group is not None:
        _finish_joins(made)
    return made


def _finish_joins(consumer: KafkaConsumer) -> None:
    """Let the consumer end every rebalance that it began.

    kafka-python 3.0.12 asks before each poll whether it must join. A rebalance that new metadata asked for answers no
    as soon as the leader has computed it; when poll() ran out of time just then, its outcome is never fetched: a member
    of a stable group, with no partitions, for ever. Seen with topics made a moment before, on a busy machine.
    """
    coordinator = consumer._coordinator  # noqa: SLF001  # there is no other way to it
    asked = coordinator.need_rejoin
    coordinator.need_rejoin = lambda: coordinator.rejoining or asked()


def producer(settings: KafkaSettings, client: str = "segue", **more: Any) -> KafkaProducer:
    """A producer of raw bytes: acks from all in-sync replicas, idempotent, no waiting for company.

    Raises BrokerAway when no broker answers, BadSetting on bad security.
    """
    return _open(KafkaProducer, settings, **{**connection(settings, client), **PRODUCER, **more})


def admin(settings: KafkaSettings, client: str = "segue-admin", **more: Any) -> KafkaAdminClient:
    """An admin client; usable in a `with`. Raises BrokerAway when no broker answers, BadSetting on bad security."""
    return _open(KafkaAdminClient, settings, **{**connection(settings, client), **RECONNECT, **more})


def wait_for_broker(settings: KafkaSettings, timeout: float) -> None:
    """Return once a broker answers and lets us in.

    Raises BrokerAway after `timeout` seconds (also for a wrong password), Fatal when its certificate is not trusted.
    """
    milliseconds = max(1, int(timeout * 1000))
    admin(settings, bootstrap_timeout_ms=milliseconds, request_timeout_ms=milliseconds).close()


@contextmanager
def kafka_trouble(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours: what a retry may mend into BrokerAway, the rest into Fatal."""
    try:
        yield
    except kafka_errors.KafkaError as error:
        if error.retriable:
            raise BrokerAway(f"{what}: {error}") from error
        raise Fatal(f"{what}: {error}") from error


def _open(kind: Callable[..., C], settings: KafkaSettings, *topics: str, **config: Any) -> C:
    """Make a client that never creates a topic; `segue topics apply` does, with the right partitions.

    A constructor that fails leaves its I/O thread and sockets behind, so close those for it.
    """
    made: list[KafkaNetClient] = []

    def remembered(**net: Any) -> KafkaNetClient:
        client = KafkaNetClient(**net)
        # 3.0.12 forgets to hand `allow_auto_create_topics` on, and a broker with Kafka's own defaults makes any topic
        # that a client asks for, with one partition.
        client.cluster.config["allow_auto_create_topics"] = False
        made.append(client)
        return client

    timeout_ms = config.get("bootstrap_timeout_ms", BOOTSTRAP_MS)
    left_ms = timeout_ms - 1000 * knock(settings, timeout_ms / 1000)
    try:
        return kind(*topics, **{**config, "bootstrap_timeout_ms": max(1, left_ms), "kafka_client": remembered})
    except kafka_errors.KafkaError as error:
        for client in made:
            client.close()
        if error.retriable:
            raise not_ready(settings) from error
        raise


def not_ready(settings: KafkaSettings) -> BrokerAway:
    """kafka-python tells a refused user and a broker that is still starting apart in its log only."""
    told = f"something listens at {settings.bootstrap}, but not a broker that is ready for {settings.security}"
    if settings.security == "PLAINTEXT":
        return BrokerAway(f"{told}; wait, or check SEGUE_KAFKA_BOOTSTRAP and SEGUE_KAFKA_SECURITY")
    return BrokerAway(
        f"{told}, or it refuses user {settings.user!r}: the line logged before this says which; wait, or check "
        "SEGUE_KAFKA_USER and SEGUE_KAFKA_PASSWORD"
    )


def knock(settings: KafkaSettings, timeout: float) -> float:
    """Seconds until a server let us in. A client would log and leak a socket for each try, and not say why.

    Raises Fatal when its certificate is not trusted, BrokerAway after `timeout` seconds.
    """
    started, tls = time.monotonic(), ssl_context(settings) if secured(settings) else None
    addresses = [(host.strip("[]"), int(port)) for host, _, port in (s.rpartition(":") for s in servers(settings))]
    reason: OSError = TimeoutError("no answer")
    while (left := timeout - (time.monotonic() - started)) > 0:
        for host, port in addresses:
            try:
                with socket.create_connection((host, port), timeout=max(0.05, left / len(addresses))) as connected:
                    if tls is not None:
                        tls.wrap_socket(connected, server_hostname=host).close()
                return time.monotonic() - started
            except ssl.SSLCertVerificationError as error:
                raise Fatal(
                    f"the certificate of the broker at {host}:{port} is not trusted: {error.verify_message}; "
                    "set SEGUE_KAFKA_CA to the file of whoever signed it"
                ) from error
            except OSError as error:
                reason = error
        time.sleep(min(0.1, left))
    raise BrokerAway(
        f"no broker answers at {settings.bootstrap} ({reason}); start one with `segue up` or set SEGUE_KAFKA_BOOTSTRAP"
    ) from reason
