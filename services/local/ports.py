"""Which TCP port on the loopback address is free."""

import os
import random
import socket
from collections import deque
from pathlib import Path

HOST = "127.0.0.1"
_LOWEST = 15_000
_TURNS = 64  # processes that may look for a port at once without finding the same
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

_given: deque[int] = deque(maxlen=100)  # lately, by this process: who asked may not have bound it yet


def is_free(port: int) -> bool:
    """Whether a server could bind `port` on the loopback address right now."""
    with socket.socket() as probe:
        # As Java and Redis do: a port whose last connections are in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that was free a moment ago; another process may still take it first, so be ready to try again.

    Services take seconds to bind what they were given, and others look meanwhile, so each process looks among ports of
    its own, by its number. They lie below the ephemeral range: a client that keeps dialling a dead server's port from
    that range can be given the very port as its source, connect to itself, and keep the server from coming back.
    """
    mine = range(_LOWEST + os.getpid() % _TURNS, _first_ephemeral(), _TURNS)
    for port in random.sample(mine, len(mine)):
        if port not in _given and is_free(port):
            _given.append(port)
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
