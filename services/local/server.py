"""What the local Kafka and Redis have in common: start, readiness, stop, crash, and the folder they own."""

import fcntl
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, TextIO

import psutil

from services.local.errors import LocalError, StartError
from services.local.ports import HOST, free_port, is_free
from services.local.process import Child

PROBE_INTERVAL_S = 0.02
BIND_ATTEMPTS = 5
CLAIM_TIMEOUT_S = 5.0  # an orphaned server may take some seconds to leave the folder


class Server(ABC):
    """One server on the loopback address, with its data, settings and log in one folder.

    Without a `port` it takes a free one at the first start, and keeps it for every later start.
    `remove` names a folder that disappears, together with the server, if this process dies.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path, port: int | None = None, remove: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._given_port = port
        self._port = port
        self._remove = remove
        self._child: Child | None = None
        self._lock: TextIO | None = None

    @abstractmethod
    def _spawn(self, port: int, hold: list[int]) -> Child:
        """Write the settings and run the server, which holds those descriptors; do not wait for it."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether this very server, and no other on the same port, serves requests."""

    @property
    def port(self) -> int:
        """The TCP port clients connect to."""
        if self._port is None:
            raise LocalError(f"{self.name} has not been started")
        return self._port

    @property
    def address(self) -> str:
        """Where clients connect to, as host:port."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.folder / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        """Whether the server's process runs (a paused one does)."""
        return self._child is not None and self._child.poll() is None

    @property
    def process(self) -> psutil.Process:
        """The server's own process, to look at or to signal."""
        return self._running().process

    def start(self, timeout_s: float = 60.0) -> None:
        """Start, and wait until the server answers a request of its protocol; StartError has its log's end."""
        self.launch()
        self.wait_ready(timeout_s)

    def launch(self) -> None:
        """Start without waiting for readiness."""
        if self.alive:
            raise LocalError(f"{self.name} runs already on {self.address}")
        self._claim()
        try:
            self._launch()
        except BaseException:
            self._release()
            raise

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until the server answers; one that lost a free port to somebody else is tried on another."""
        deadline = time.monotonic() + timeout_s
        attempts = BIND_ATTEMPTS
        try:
            while not self._wait_answer(deadline):
                attempts -= 1
                if not attempts or "Address already in use" not in self._running().tail(lines=1000):
                    raise StartError(self._ended())
                self._launch()
        except BaseException:
            self.kill()
            raise
        self._given_port = self._port

    def stop(self, grace_s: float = 5.0) -> None:
        """Ask the server to shut down, and kill it if it still runs after `grace_s` seconds."""
        self.terminate()
        if self._child:
            self._child.wait(grace_s)
        self.kill()

    def terminate(self) -> None:
        """Ask the server to shut down, without waiting."""
        if self._child:
            self._child.terminate()

    def kill(self) -> None:
        """End the server at once, as a crash would (SIGKILL)."""
        if self._child:
            self._child.kill()
        self._release()

    def restart(self, timeout_s: float = 60.0) -> None:
        """Stop if need be, and start again on the same port and data."""
        self.stop()
        self.start(timeout_s)

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered from the return of this on."""
        self._running().pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._running().resume()

    def check_alive(self) -> None:
        """Raise StartError, with the end of its log, if the server has ended by itself."""
        if not self.alive:
            raise StartError(self._ended())

    def _launch(self) -> None:
        if self._given_port and not is_free(self._given_port):
            raise StartError(f"{self.name} cannot start: port {self._given_port} is taken")
        self._port = self._given_port or free_port()
        lock = [self._lock.fileno()] if self._lock else []
        self._child = self._spawn(self._port, lock)

    def _wait_answer(self, deadline: float) -> bool:
        """True once the server answers, False once it has ended."""
        child = self._running()
        while not self._answers():
            if child.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} did not answer in time; the end of {self.log}:\n{child.tail()}")
            time.sleep(PROBE_INTERVAL_S)
        return True

    def _running(self) -> Child:
        if self._child is None:
            raise LocalError(f"{self.name} has not been started")
        return self._child

    def _ended(self) -> str:
        child = self._running()
        return f"{self.name} ended with code {child.poll()}; the end of {self.log}:\n{child.tail()}"

    def _claim(self) -> None:
        """Take the folder, or raise: two servers over the same files would ruin them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / ".owner").open("a")
        deadline = time.monotonic() + CLAIM_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    raise StartError(f"another {self.name} uses {self.folder}") from None
                time.sleep(PROBE_INTERVAL_S)
            else:
                self._lock = lock
                return

    def _release(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None
