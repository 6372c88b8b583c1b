"""Runs one server and ends it when the process that wanted it is gone, even by SIGKILL.

A script of its own, started as `python -I guard.py`: it imports only the standard library, so it is up in
20 ms. Standard input is a pipe whose other end the owner holds and never writes to: end of file means that
the owner is gone. The server's process id goes to standard output. Because this process has one thread for
its whole life, the kernel's parent-death signal is safe here, whichever thread of the owner asked.
"""

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
OWNER_CHECK_S = 1.0
ORPHAN_GRACE_S = 2.0


def main() -> int:
    """Run the command to its end, or to the owner's; return its exit code (128 + n after signal n)."""
    options = _options()
    # Before the server exists, so that no signal and no exit of it can be missed.
    wakeups = _wake_on(signal.SIGCHLD, signal.SIGTERM)
    server = _start(options)
    owner_gone = _watch(server, wakeups, options.owner)
    if owner_gone:
        _end(server, grace_s=0.0 if options.remove else ORPHAN_GRACE_S)
    code = server.wait()
    _kill_group(server.pid)  # what the server forked, such as Redis's rewriting child
    if owner_gone:
        for folder in options.remove:
            shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--owner", type=int, required=True, help="process id of the owner")
    parser.add_argument("--log", type=Path, required=True, help="file for the server's output")
    parser.add_argument("--cwd", type=Path, required=True, help="folder the server runs in")
    parser.add_argument("--remove", type=Path, action="append", default=[], help="removed with the owner")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _wake_on(*signals: int) -> int:
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in signals:
        signal.signal(number, lambda *_: None)
    return readable


def _start(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    with options.log.open("ab") as log:
        try:
            server = subprocess.Popen(  # noqa: S603 - the command is made by this package
                options.command,
                cwd=options.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=_die_with(os.getpid()),
            )
        except OSError as error:
            log.write(f"{error}\n".encode())
            raise SystemExit(127) from None
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    return server


def _die_with(guard: int) -> Callable[[], None] | None:
    """What a fresh server runs first, so that the kernel kills it when this process dies (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # died before the line above
            os._exit(1)

    return arm


def _watch(server: subprocess.Popen[bytes], wakeups: int, owner: int) -> bool:
    """Wait until the server ends (False) or the owner is gone or somebody ends this guard (True)."""
    while server.poll() is None:
        readable, _, _ = select.select([0, wakeups], [], [], OWNER_CHECK_S)
        # The owner's id is looked at too: a fork of the owner may hold the pipe open beyond its death.
        if 0 in readable or os.getppid() != owner:
            return True
        if wakeups in readable and signal.SIGTERM in os.read(wakeups, 64):
            return True
    return False


def _end(server: subprocess.Popen[bytes], grace_s: float) -> None:
    if grace_s:
        server.terminate()
        server.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(grace_s)
    _kill_group(server.pid)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main())
