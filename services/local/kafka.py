"""A real Apache Kafka broker: one node, its own controller (KRaft), in one folder."""

import base64
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from services.local.archive import class_archive
from services.local.errors import StartError
from services.local.jars import kafka_jars
from services.local.java import Java, find_java, java_environment
from services.local.kafka_config import broker_properties, read_properties, write_properties
from services.local.kafka_probe import ask_cluster
from services.local.ports import free_port
from services.local.process import Child
from services.local.server import Server

LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    # Warnings only: at "info" a failed start ends in two hundred lines of orderly shutdown, not in its error.
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
)


@dataclass(frozen=True)
class KafkaRuntime:
    """All that is needed to run Kafka's programs on this machine."""

    java: Java
    jars: Sequence[Path]
    flags: Sequence[str] = ()

    def command(self, heap: str, folder: Path, program: str, *arguments: str | Path) -> list[str | Path]:
        """The command line that runs one of Kafka's main classes in that folder."""
        # The codecs unpack native libraries into Java's temporary folder, and a killed broker leaves them.
        flags = [f"-Xmx{heap}", *self.java.flags(), *self.flags, *LOGGING, f"-Djava.io.tmpdir={folder / 'tmp'}"]
        classpath = os.pathsep.join(map(str, self.jars))
        return [self.java.executable, *flags, "-cp", classpath, program, *arguments]


def kafka_runtime() -> KafkaRuntime:
    """Fetch what is missing (the first call on a machine takes some 20 s and the network), check the rest."""
    runtime = KafkaRuntime(find_java(), kafka_jars())

    def record(folder: Path, class_list: Path) -> None:
        recording = replace(runtime, flags=[f"-XX:DumpLoadedClassList={class_list}"])
        broker = KafkaServer(folder, remove=folder.parent, runtime=recording)
        broker.start()
        broker.stop(grace_s=30)

    archive = class_archive(runtime.java, list(runtime.jars), record)
    return replace(runtime, flags=[f"-XX:SharedArchiveFile={archive}"] if archive else [])


class KafkaServer(Server):
    """One Kafka broker. `properties` win over the defaults in kafka_config.py; `heap` is Java's -Xmx."""

    name: ClassVar[str] = "kafka"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        properties: Mapping[str, str | int] | None = None,
        *,
        heap: str = "512m",
        remove: Path | None = None,
        runtime: KafkaRuntime | None = None,
    ) -> None:
        super().__init__(folder, port, remove)
        self._properties = dict(properties or {})
        self._heap = heap
        self._runtime = runtime
        self._cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """What a client takes as its bootstrap server, as host:port."""
        return self.address

    @property
    def cluster_id(self) -> str:
        """The cluster's id, given when the folder was formatted."""
        return self._cluster_id

    def prepare(self) -> KafkaRuntime:
        """Fetch or check the jars and the class archive, so that a start has nothing left to wait for."""
        self._runtime = self._runtime or kafka_runtime()
        return self._runtime

    def _spawn(self, port: int, hold: list[int]) -> Child:
        logs = self.folder / "topics"
        settings = self.folder / "server.properties"
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        write_properties(settings, broker_properties(port, free_port(), logs, self._properties))
        if not (logs / "meta.properties").exists():
            self._format(settings, hold)
        self._cluster_id = read_properties(logs / "meta.properties")["cluster.id"]
        return self._run(self._heap, hold, "kafka.Kafka", settings)

    def _format(self, settings: Path, hold: list[int]) -> None:
        arguments = ("format", "--cluster-id", new_cluster_id(), "--config", settings)
        tool = self._run("128m", hold, "kafka.tools.StorageTool", *arguments)
        try:
            code = tool.wait()
        except BaseException:
            tool.kill()
            raise
        if code != 0:
            raise StartError(f"kafka's folder could not be formatted; the end of {self.log}:\n{tool.tail()}")

    def _run(self, heap: str, hold: list[int], program: str, *arguments: str | Path) -> Child:
        command = self.prepare().command(heap, self.folder, program, *arguments)
        environment = java_environment()
        return Child(command, log=self.log, cwd=self.folder, env=environment, remove=self._remove, hold=hold)

    def _answers(self) -> bool:
        cluster = ask_cluster(self.port)
        return cluster is not None and cluster.id == self._cluster_id and self.port in cluster.ports


def new_cluster_id() -> str:
    """A random id in Kafka's form: 16 bytes in URL-safe base64, not starting with a dash."""
    text = "-"
    while text.startswith("-"):
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return text
