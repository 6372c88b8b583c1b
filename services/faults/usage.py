"""Memory, open files, threads and tasks of the processes under test, sampled."""

import asyncio
import http.client
import re
import time
import urllib.request
from typing import NamedTuple

import numpy as np
import psutil

from services.faults.result import Usage
from services.faults.world import Process, World

EVERY_S = 1.0
SETTLED = 1 / 3  # of a life is warming up
ASK_S = 2.0
TASKS = re.compile(rb"^segue_\w+_tasks ([0-9.e+]+)$", re.MULTILINE)


class Sample(NamedTuple):
    """One look at one process."""

    at: float
    rss: int
    files: int
    threads: int
    tasks: int  # of its event loop; 0: it has none, or did not answer


class Sampler:
    """Looks at each process once a second."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lives: dict[tuple[str, int], list[Sample]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.gather(*(self._look(name, process) for name, process in self._world.processes.items()))
            await asyncio.sleep(EVERY_S)

    def usages(self) -> list[Usage]:
        """One a process: of its longest life."""
        longest: dict[str, list[Sample]] = {}
        for (name, _), samples in self._lives.items():
            longest[name] = max(samples, longest.get(name, []), key=len)
        return [_usage(name, self._world.processes[name].restarts, samples) for name, samples in longest.items()]

    async def _look(self, name: str, process: Process) -> None:
        child = process.child
        tasks = await asyncio.to_thread(_tasks, process.port)
        try:
            seen = child.process
            with seen.oneshot():
                sample = Sample(
                    time.monotonic(), seen.memory_info().rss, seen.num_fds(), seen.num_threads(), tasks
                )  # fmt: skip
        except psutil.Error:
            return
        self._lives.setdefault((name, child.pid), []).append(sample)


def _tasks(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ASK_S) as page:
            found = TASKS.search(page.read())
    except (OSError, http.client.HTTPException):  # killed while it answered, perhaps
        return 0
    return int(float(found[1])) if found else 0


def _usage(name: str, restarts: int, samples: list[Sample]) -> Usage:
    settled = samples[int(len(samples) * SETTLED) :]
    minutes = np.array([sample.at for sample in settled]) / 60
    rss = np.array([sample.rss for sample in settled]) / 1e6
    slope = float(np.polyfit(minutes - minutes[0], rss, 1)[0]) if len(settled) > 2 else 0.0
    first, last = settled[0], settled[-1]
    return Usage(
        name, restarts, round((samples[-1].at - samples[0].at) / 60, 2), round(float(rss[-1]), 1), round(slope, 2),
        last.files, last.files - first.files, last.threads, last.threads - first.threads,
        last.tasks, last.tasks - first.tasks, round(max(sample.rss for sample in samples) / 1e6, 1),
    )  # fmt: skip
