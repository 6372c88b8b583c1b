"""A child process that cannot outlive its owner (this process), and is shielded from the terminal's Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from services.local.errors import StartError

_GUARD = Path(__file__).with_name("guard.py")


class Child:
    """One running command under its guard (guard.py), its output in a log file.

    `remove` is a folder that the guard removes when this process dies without having ended the command;
    `hold` are open file descriptors that the guard keeps open as long as the command may run (a lock).
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        remove: Path | None = None,
        hold: Sequence[int] = (),
    ) -> None:
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        guard: list[str | Path] = [sys.executable, "-I", "-S", _GUARD, "--owner", str(os.getpid())]
        guard += ["--log", log, "--cwd", cwd]
        guard += ["--remove", remove] if remove else []
        self._guard = subprocess.Popen(  # noqa: S603 - the command is made by this package
            [*guard, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            pass_fds=hold,
            start_new_session=True,
            text=True,
        )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        stdout = self._guard.stdout
        line = stdout.readline() if stdout else ""
        if not line:
            self._reap(None)
            raise StartError(f"could not run it:\n{self.tail()}")
        return int(line)

    @property
    def process(self) -> psutil.Process:
        """The command's own process (not its guard), to look at or to signal."""
        return psutil.Process(self.pid)

    def poll(self) -> int | None:
        """The exit code (128 + n after signal n), or None while the command runs."""
        return None if self._guard.poll() is None else self._reap(None)

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code once the command has ended, or None if that takes longer than `timeout_s`."""
        try:
            return self._reap(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: int) -> None:
        """Send a signal to the command, if it still runs."""
        if self._guard.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self, patience_s: float = 10.0) -> None:
        """Freeze the command (SIGSTOP) and return once it stands still; StartError if it does not in `patience_s`.

        The signal stops one thread after the other, which takes a busy machine tens of milliseconds: long enough for
        a broker to take one more message.
        """
        self.send(signal.SIGSTOP)
        until = time.monotonic() + patience_s
        while self._guard.poll() is None and not self._still():
            if time.monotonic() > until:
                raise StartError(f"process {self.pid} did not stop within {patience_s:g} s of SIGSTOP")
            time.sleep(0.002)

    def _still(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):  # it, or a thread of it, ended meanwhile: look again
            # Only on Linux is a thread's state to be had by its id.
            ids = [thread.id for thread in self.process.threads()] if psutil.LINUX else [self.pid]
            return all(psutil.Process(number).status() == psutil.STATUS_STOPPED for number in ids)
        return False

    def resume(self) -> None:
        """Let a paused command go on (SIGCONT)."""
        self.send(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask the command to end (SIGTERM), waking it first if it is paused."""
        self.send(signal.SIGTERM)
        self.resume()

    def kill(self) -> None:
        """End the command at once (SIGKILL), as a crash would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._reap(None)

    def tail(self, lines: int = 25) -> str:
        """The last lines that this run of the command wrote to its log."""
        with self.log.open("rb") as log:
            log.seek(max(self._log_start, os.fstat(log.fileno()).st_size - 65_536))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _reap(self, timeout_s: float | None) -> int:
        code = self._guard.wait(timeout_s)
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe:
                pipe.close()
        return code
