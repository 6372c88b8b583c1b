from pathlib import Path

from services.local.kafka import new_cluster_id
from services.local.kafka_config import broker_properties, read_properties, write_properties


def test_the_broker_listens_on_the_loopback_address_only(tmp_path: Path) -> None:
    properties = broker_properties(1111, 2222, tmp_path, {})

    assert properties["listeners"] == "CLIENTS://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert properties["auto.create.topics.enable"] == "false"


def test_extra_properties_win(tmp_path: Path) -> None:
    assert broker_properties(1, 2, tmp_path, {"num.io.threads": 9})["num.io.threads"] == "9"


def test_values_are_written_as_java_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "server.properties"
    write_properties(path, {"log.dirs": "C:\\data\\Müller", "plain": "a=b c"})

    assert path.read_text() == "log.dirs=C:\\\\data\\\\M\\u00fcller\nplain=a=b c\n"


def test_meta_properties_are_read(tmp_path: Path) -> None:
    path = tmp_path / "meta.properties"
    path.write_text("#\n#Sat Nov 21\ncluster.id=abc=\nnode.id=1\nversion=1")

    assert read_properties(path) == {"cluster.id": "abc=", "node.id": "1", "version": "1"}


def test_a_cluster_id_has_kafkas_form() -> None:
    ids = {new_cluster_id() for _ in range(500)}

    assert len(ids) == 500
    assert all(len(each) == 22 and each[0] != "-" for each in ids)
