"""The broker's settings file."""

from collections.abc import Mapping
from pathlib import Path

from services.local.ports import HOST

# A single small broker that keeps everything, creates nothing by itself and answers at once.
DEFAULTS: dict[str, str | int] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENTS",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    "log.retention.ms": -1,
    # A broker killed and started again is let in only when its former self's session has run out (else 9 s).
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 4,
    "auto.leader.rebalance.enable": "false",
    # Memory: the defaults are for a machine of its own (the cleaner's buffer alone takes 128 MiB).
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 4,
}


def broker_properties(port: int, controller_port: int, logs: Path, extra: Mapping[str, str | int]) -> dict[str, str]:
    """All settings of the broker; `extra` wins over everything."""
    addresses: dict[str, str | int] = {
        "listeners": f"CLIENTS://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": str(logs),
    }
    return {key: str(value) for key, value in {**DEFAULTS, **addresses, **extra}.items()}


def write_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Write a Java properties file."""
    lines = (f"{key}={_escaped(value)}\n" for key, value in properties.items())
    path.write_text("".join(lines), encoding="utf-8")


def read_properties(path: Path) -> dict[str, str]:
    """Read a properties file of plain `key=value` lines, such as Kafka's meta.properties."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def _escaped(value: str) -> str:
    """Backslashes doubled, line breaks and anything beyond ASCII as Java's properties want them."""
    units = value.encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join("\\\\" if code == 0x5C else chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)
