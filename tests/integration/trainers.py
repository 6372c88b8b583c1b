"""Trainers as processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from services.runtime.settings import KafkaSettings

LIMIT = 240.0  # seconds until a test gives up; trainings run at low priority, beside other tests


class TrainerProcess:
    """`python -m services.trainer` in a `with`, ended with it."""

    def __init__(
        self,
        kafka: KafkaSettings,
        folder: Path,
        iterations: int = 10,
        environ: dict[str, str] | None = None,
        **options: float,
    ) -> None:
        self.folder = folder
        self.log = folder / "trainer.log"
        settings = {"history": folder / "history", "releases": folder / "releases", "metrics_port": 0, **options}
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")},
            "SEGUE_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "SEGUE_ALS_FACTORS": "8",
            "SEGUE_ALS_ITERATIONS": str(iterations),
            **{f"SEGUE_TRAINER_{name.upper()}": str(value) for name, value in settings.items()},
            **(environ or {}),
        }

    def __enter__(self) -> "TrainerProcess":
        self.folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "services.trainer"], env=self._environ, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def terminate(self) -> float:
        """SIGTERM; seconds until it ended, with 0."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0, self.log.read_text()
        return time.monotonic() - begun

    def until(self, true: Callable[[], object], every_s: float = 0.02, limit_s: float = LIMIT) -> None:
        """Wait until something holds; fail with the log when the process ends or it takes too long."""
        deadline = time.monotonic() + limit_s
        while not true():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(every_s)
