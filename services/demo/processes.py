"""The services as processes of their own, ended with the demo, each with its log in a file."""

import asyncio
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from signal import SIGTERM
from sys import executable

from psutil import Process

from services.local.ports import free_port
from services.local.process import Child
from services.local.stack import OPEN
from services.profiler.settings import ProfilerSettings
from services.runtime.errors import Fatal
from services.runtime.settings import load
from services.scorer.settings import ScorerSettings
from services.trainer.settings import trainer_settings

START_S = 60.0
STOP_S = 10.0


def check_settings() -> None:
    """Raise BadSetting or BadSources for what would end a service, before anything is started."""
    load(ProfilerSettings, os.environ)
    trainer_settings(os.environ).prove()
    load(ScorerSettings, os.environ).split()


class Service:
    """One running service; `folder` goes with this process, even if it is killed."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self._port = free_port()
        environment = {**os.environ, **OPEN, **settings, f"SEGUE_{name.upper()}_METRICS_PORT": str(self._port)}
        self._child = Child(
            [executable, "-m", f"services.{name}"],
            log=folder / f"{name}.log", cwd=folder, env=environment, remove=folder,
        )  # fmt: skip

    @property
    def process(self) -> Process:
        """Its own process, to look at."""
        return self._child.process

    def check(self) -> None:
        """Raise Fatal, with the end of its log, when it has ended by itself."""
        code = self._child.poll()
        if code is not None:
            raise Fatal(f"the {self.name} ended with exit code {code}; the end of its log:\n{self._child.tail()}")

    def told(self) -> str:
        """The end of its log, under its name."""
        return f"--- the end of the {self.name}'s log:\n{self._child.tail()}"

    async def ready(self, seconds: float = START_S) -> None:
        """Return once /readyz says so. Raises Fatal, with what it waits for. May be cancelled at any moment."""
        end = time.monotonic() + seconds
        while missing := await asyncio.to_thread(self._missing):
            self.check()
            if time.monotonic() > end:
                raise Fatal(f"the {self.name} is not ready after {seconds:.0f} s: {missing}\n{self._child.tail()}")
            await asyncio.sleep(0.05)

    def _missing(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=2):
                return ""
        except urllib.error.HTTPError as error:
            conditions = json.load(error)["conditions"]
            return "; ".join(f"{c['name']}: {c['reason']}" for c in conditions if not c["ok"])
        except OSError as error:
            return str(error)

    def ask_to_stop(self) -> None:
        """Tell it to end, and do not wait."""
        self._child.send(SIGTERM)

    def stop(self, grace_s: float = STOP_S) -> None:
        """End it gracefully, else at once."""
        self.ask_to_stop()
        if self._child.wait(grace_s) is None:
            self._child.kill()
