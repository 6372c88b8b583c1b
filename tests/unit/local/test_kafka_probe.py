import socket
import struct
import threading

from services.local.kafka_probe import Cluster, ask_cluster, parse_cluster
from services.local.ports import HOST, free_port


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def answer(ports: list[int]) -> bytes:
    brokers = b"".join(struct.pack(">i", 1) + text(HOST) + struct.pack(">ih", port, -1) for port in ports)
    return struct.pack(">iii", 1, 0, len(ports)) + brokers + text("the-cluster") + struct.pack(">ii", 1, 0)


def test_an_answer_names_the_cluster_and_the_brokers_open_to_clients() -> None:
    assert parse_cluster(answer([9092])) == Cluster("the-cluster", frozenset({9092}))
    assert parse_cluster(answer([])) == Cluster("the-cluster", frozenset())


def test_no_server_is_no_answer() -> None:
    assert ask_cluster(free_port()) is None


def test_a_server_that_hangs_up_is_no_answer() -> None:
    with socket.create_server((HOST, 0)) as server:
        hang_up = threading.Thread(target=lambda: server.accept()[0].close())
        hang_up.start()
        try:
            assert ask_cluster(server.getsockname()[1]) is None
        finally:
            hang_up.join()
