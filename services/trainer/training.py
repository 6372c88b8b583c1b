"""A training under way, seen from the trainer: started, listened to, ended."""

import logging
import subprocess
import sys
import threading
from queue import Empty, SimpleQueue

import msgspec

from services.trainer.job import Job, Said

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "services.trainer.child")
GRACE = 3.0  # seconds


class Training:
    """One child process. `news` never blocks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # itself
        self._listener = threading.Thread(target=self._listen, name="training", daemon=True)
        self._listener.start()

    def news(self) -> list[Said]:
        """What it said since last asked. The last of all has `folder` or `error`, also when it was killed."""
        said = []
        while True:
            try:
                said.append(self._said.get_nowait())
            except Empty:
                return said

    def stop(self) -> None:
        """End it, and return when it has ended; what it left half made is for models.release.sweep."""
        self._child.terminate()
        try:
            self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._listener.join()

    def _listen(self) -> None:
        last = Said()
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the child has no pipes")
        try:
            self._child.stdin.write(msgspec.json.encode(self.job))
            self._child.stdin.close()
        except BrokenPipeError:
            log.debug("the child ended before it read its job")
        with self._child.stdout as lines:
            for line in lines:
                last = _decoded(line)
                if last.step or last.told:
                    self._said.put(last)
        code = self._child.wait()
        if code == 0 and last.folder:
            self._said.put(last)
        else:
            self._said.put(Said(error=last.error or f"the training's process ended with {code}"))


def _decoded(line: bytes) -> Said:
    try:
        return msgspec.json.decode(line, type=Said)
    except msgspec.MsgspecError:  # a library wrote to standard output
        log.info("training: %s", line.decode("utf-8", "replace").rstrip())
        return Said()
