"""Runs the local Kafka and Redis until somebody presses Ctrl-C: what `segue up` does."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from services.local.stack import LocalStack

WATCH_INTERVAL_S = 0.5


def up(
    data: Path | None = None,
    kafka_port: int | None = None,
    redis_port: int | None = None,
    *,
    console: Console | None = None,
) -> None:
    """Start both servers, say where they are, and return after Ctrl-C or SIGTERM has stopped them.

    A second Ctrl-C kills them at once. Raises StartError if one does not start or ends by itself.
    Without a `data` folder everything is forgotten at the end. Ports are free ones unless given.
    """
    console = console or Console()
    try:
        with _sigterm_is_ctrl_c(), LocalStack(data, kafka_port=kafka_port, redis_port=redis_port) as stack:
            _announce(stack, data, console)
            while True:
                stack.check_alive()
                time.sleep(WATCH_INTERVAL_S)
    except KeyboardInterrupt:
        console.print("Stopped.")


def _announce(stack: LocalStack, data: Path | None, console: Console) -> None:
    lines = [
        f"Kafka  {stack.bootstrap}",
        f"Redis  {stack.redis_url}",
        f"Data   {data.absolute() if data else 'temporary, gone when this ends'}",
        "",
        f"export SEGUE_KAFKA_BOOTSTRAP={stack.bootstrap} SEGUE_REDIS_URL={stack.redis_url}",
        "",
        "Ctrl-C stops both.",
    ]
    # Neither wrapped nor coloured: the export line is there to be copied.
    console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)


@contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
