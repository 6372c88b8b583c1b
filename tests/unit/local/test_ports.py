import os
import socket

import pytest

from services.local.ports import HOST, free_port, is_free


def test_a_free_port_can_be_bound() -> None:
    port = free_port()

    assert is_free(port)
    with socket.create_server((HOST, port)):
        assert not is_free(port)


def test_free_ports_lie_below_the_ephemeral_range() -> None:
    assert all(15_000 <= free_port() < 32_768 for _ in range(50))


def test_a_process_is_not_given_again_what_it_was_given_and_has_not_bound_yet() -> None:
    given = [free_port() for _ in range(100)]

    assert len(set(given)) == len(given)


def test_processes_that_look_at_once_look_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for process in (4_001, 4_002):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        found.append({free_port() for _ in range(100)})

    assert not found[0] & found[1]
