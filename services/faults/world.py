"""What faults happen to: a broker, a Redis behind a proxy, and services that are started again when they die."""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from sys import executable

from services.faults.proxy import Proxy
from services.local.ports import free_port
from services.local.process import Child
from services.local.stack import OPEN, LocalStack
from services.runtime.settings import KafkaSettings, RedisSettings

LOOK_S = 0.1
STOP_S = 15.0
TRAIN_EVERY_S = 75  # more often than once a minute looks like an import to the trainer, which waits for its end
BROKER = {"message.max.bytes": 12 << 20, "socket.request.max.bytes": 64 << 20, "log.segment.bytes": 64 << 20}

# Neither the cursor nor the event ids, which recognise what a short overlap repeats.
UNGUARDED = {"FAULTS_UNGUARDED": "1", "SEGUE_TASTE_MAX_EVENT_IDS": "1"}


class Process:
    """One service, with what a supervisor (compose, systemd, Kubernetes) does for it."""

    def __init__(self, name: str, module: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name, self._module, self._folder = name, module, folder
        self.port = free_port()
        kind = name.partition("-")[0].upper()
        self._environment = {**os.environ, **OPEN, **environment, f"SEGUE_{kind}_METRICS_PORT": str(self.port)}
        self.restarts = -1
        self.killed = 0  # of the restarts: those that somebody here caused
        self.start()

    def start(self) -> None:
        """Run it (again)."""
        self.restarts += 1
        log = self._folder / f"{self.name}.log"
        self.child = Child(
            [executable, "-m", self._module],
            log=log, cwd=self._folder, env=self._environment, remove=self._folder,
        )  # fmt: skip

    def mind(self) -> None:
        """Start it again if it is dead."""
        if self.child.poll() is not None:
            self.start()

    def kill(self) -> None:
        """kill -9."""
        self.killed += 1
        self.child.kill()

    def terminate(self) -> None:
        """SIGTERM."""
        self.killed += 1
        self.child.terminate()

    async def ended(self) -> float:
        """Wait for its end, kill it when that takes too long; seconds."""
        begun = time.monotonic()
        if not await self.gone(STOP_S):
            self.child.kill()
        return round(time.monotonic() - begun, 2)

    async def gone(self, within_s: float) -> bool:
        """Whether this very run of it ends within so many seconds."""
        child, end = self.child, time.monotonic() + within_s
        while child is self.child and child.poll() is None:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True


class World:
    """The whole system. After `start` its `processes`, `stack` and `proxy` are there to be hurt."""

    def __init__(self, folder: Path, proxy: Proxy, stack: LocalStack, unguarded: bool) -> None:
        self.folder, self.proxy, self.stack = folder, proxy, stack
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        self.redis = RedisSettings(url=stack.redis_url)
        self.processes: dict[str, Process] = {}
        self.gone = 0  # listens that retention took before they were folded
        self.held: set[str] = set()  # processes that are not started again for now
        self._unguarded = unguarded
        self._minding = True

    def start(self, rate: float, profilers: int = 2, scorers: int = 2) -> None:
        """Start the services; the topics need not be there yet."""
        names = [(f"profiler-{n}", "services.faults.points") for n in range(profilers)]
        names += [(f"scorer-{n}", "services.scorer") for n in range(scorers)] + [("trainer", "services.trainer")]
        environment = {
            "SEGUE_KAFKA_BOOTSTRAP": self.stack.bootstrap,
            "SEGUE_REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0",
            "SEGUE_KAFKA_SESSION_TIMEOUT_MS": "6000", "SEGUE_KAFKA_HEARTBEAT_MS": "1000",
            "SEGUE_TRAINER_HISTORY": str(self.folder / "history"),
            "SEGUE_TRAINER_RELEASES": str(self.folder / "releases"),
            "SEGUE_TRAINER_MIN_LISTENS": "500", "SEGUE_TRAINER_EVERY_LISTENS": str(int(rate * TRAIN_EVERY_S)),
            # Releases are killed in the making, not judged: teaching each a ranker and rehearsing it would take a core.
            "SEGUE_TRAINER_FLUSH_SECONDS": "3", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_TRAINER_CHECK_LISTENERS": "0",
            **(UNGUARDED if self._unguarded else {}),
        }  # fmt: skip
        for name, module in names:
            self.processes[name] = Process(name, module, self.folder, environment)

    async def mind(self) -> None:
        """Start again whatever dies, until cancelled."""
        while True:
            for name, process in self.processes.items():
                if self._minding and name not in self.held:
                    process.mind()
            await asyncio.sleep(LOOK_S)

    async def stop(self) -> dict[str, float]:
        """End everything gracefully; how long each took, in seconds."""
        self._minding = False
        for process in self.processes.values():
            process.child.terminate()
        took = await asyncio.gather(*(process.ended() for process in self.processes.values()))
        return dict(zip(self.processes, took, strict=True))

    def kill(self) -> None:
        """End everything at once."""
        self._minding = False
        for process in self.processes.values():
            process.child.kill()

    def copy_logs(self, folder: Path) -> None:
        """What the services wrote."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder / log.name)

    def named(self, kind: str) -> list[Process]:
        """The running processes of one kind."""
        return [process for name, process in self.processes.items() if name.startswith(kind)]

    def snapshot_redis(self) -> Path:
        """A copy of Redis' files as they are now."""
        copy = self.folder / f"redis-{time.monotonic_ns()}"
        shutil.copytree(self.stack.redis.folder, copy, ignore=shutil.ignore_patterns("*.log", ".owner", "*.conf"))
        return copy

    async def restart_redis(
        self, with_files: Path | None = None, away_s: float = 0.0, cut: int = 0, load_delay_us: int = 0
    ) -> None:
        """Kill it, perhaps put back older files or cut the newest `cut` bytes off its log, start it again.

        `load_delay_us`: so long it takes over each key while it loads.
        """
        redis = self.stack.redis
        redis.kill()
        if with_files:
            for old in redis.folder.glob("append*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            shutil.copytree(with_files, redis.folder, dirs_exist_ok=True)
        if cut:
            newest = max((f for f in redis.folder.rglob("append*") if f.is_file()), key=lambda f: f.stat().st_mtime)
            with newest.open("rb+") as file:
                file.truncate(max(0, newest.stat().st_size - cut))
        await asyncio.sleep(away_s)
        redis.options["key-load-delay"] = load_delay_us
        await asyncio.to_thread(redis.start)

    async def restart_kafka(self, away_s: float) -> None:
        """Kill the broker, start it again after a while."""
        self.stack.kafka.kill()
        await asyncio.sleep(away_s)
        await asyncio.to_thread(self.stack.kafka.start)
