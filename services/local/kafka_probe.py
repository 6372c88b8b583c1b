"""Asks a broker the one question of Kafka's protocol that readiness needs: who is in the cluster?"""

import io
import socket
import struct
from dataclasses import dataclass

from services.local.ports import HOST

METADATA, VERSION, CORRELATION = 3, 4, 1


@dataclass(frozen=True)
class Cluster:
    """A broker's answer: the cluster's id, and the ports of the brokers that are open to clients."""

    id: str
    ports: frozenset[int]


def ask_cluster(port: int, timeout_s: float = 1.0) -> Cluster | None:
    """What the broker on the loopback port says of its cluster, or None while nothing there answers."""
    # Header (key, version, correlation id, no client id), then no topics, and none to be created.
    request = struct.pack(">hhihib", METADATA, VERSION, CORRELATION, -1, 0, 0)
    try:
        with socket.create_connection((HOST, port), timeout_s) as broker:
            broker.sendall(struct.pack(">i", len(request)) + request)
            with broker.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                return parse_cluster(stream.read(size))
    except (OSError, struct.error, UnicodeDecodeError):
        return None


def parse_cluster(body: bytes) -> Cluster:
    """Read a Metadata response of version 4."""
    stream = io.BytesIO(body)
    _correlation, _throttle_ms, brokers = struct.unpack(">iii", stream.read(12))
    ports = set()
    for _ in range(brokers):
        stream.read(4)  # the broker's id
        _string(stream)  # its host
        ports.add(struct.unpack(">i", stream.read(4))[0])
        _string(stream)  # its rack
    return Cluster(_string(stream), frozenset(ports))


def _string(stream: io.BytesIO) -> str:
    (size,) = struct.unpack(">h", stream.read(2))
    return stream.read(max(size, 0)).decode()
