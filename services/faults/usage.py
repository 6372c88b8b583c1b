"""Memory and open files of the processes under test, sampled."""

import asyncio
import time
from typing import NamedTuple

import numpy as np
import psutil

from services.faults.result import Usage
from services.faults.world import World

EVERY_S = 1.0
SETTLED = 1 / 3  # of a life is warming up


class Sample(NamedTuple):
    """One look at one process."""

    at: float
    rss: int
    files: int


class Sampler:
    """Looks at each process once a second."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lives: dict[tuple[str, int], list[Sample]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for name, process in self._world.processes.items():
                try:
                    seen = process.child.process
                    sample = Sample(time.monotonic(), seen.memory_info().rss, seen.num_fds())
                except psutil.Error:
                    continue
                self._lives.setdefault((name, process.child.pid), []).append(sample)
            await asyncio.sleep(EVERY_S)

    def usages(self) -> list[Usage]:
        """One a process: of its longest life."""
        longest: dict[str, list[Sample]] = {}
        for (name, _), samples in self._lives.items():
            longest[name] = max(samples, longest.get(name, []), key=len)
        return [_usage(name, self._world.processes[name].restarts, samples) for name, samples in longest.items()]


def _usage(name: str, restarts: int, samples: list[Sample]) -> Usage:
    settled = samples[int(len(samples) * SETTLED) :]
    minutes = np.array([sample.at for sample in settled]) / 60
    rss = np.array([sample.rss for sample in settled]) / 1e6
    slope = float(np.polyfit(minutes - minutes[0], rss, 1)[0]) if len(settled) > 2 else 0.0
    return Usage(
        name, restarts, round((samples[-1].at - samples[0].at) / 60, 2), round(float(rss[-1]), 1), round(slope, 2),
        settled[-1].files, settled[-1].files - settled[0].files,
    )  # fmt: skip
