import socket

from services.local.ports import HOST, free_port, is_free


def test_a_free_port_can_be_bound() -> None:
    port = free_port()

    assert is_free(port)
    with socket.create_server((HOST, port)):
        assert not is_free(port)


def test_free_ports_lie_below_the_ephemeral_range() -> None:
    assert all(15_000 <= free_port() < 32_768 for _ in range(50))
