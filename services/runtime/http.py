"""What a service tells the outside: /metrics for Prometheus, /livez and /readyz for whoever restarts and routes.

Live: the loop turns. Ready: it can do its work. Both say why not.
"""

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from services.runtime.errors import Fatal

log = logging.getLogger(__name__)

CLIENT_TIMEOUT = 5.0  # seconds; a client that sends nothing holds its thread no longer


class Condition(Struct, frozen=True):
    """One thing that must hold, and why it does not."""

    name: str
    ok: bool
    reason: str = ""


class Report(Struct, frozen=True):
    """The body of /livez and /readyz."""

    ok: bool
    conditions: list[Condition]


class Health:
    """What a service knows about itself. Any thread may write and read it.

    `clock` gives seconds (time.monotonic). It is live while the last `beat` is younger than `stale_after` seconds, and
    ready once every condition named here or set later is true.
    """

    def __init__(self, *conditions: str, clock: Callable[[], float], stale_after: float = 30.0) -> None:
        self._clock = clock
        self._stale_after = stale_after
        self._lock = threading.Lock()
        self._beaten = clock()
        self._conditions = {name: Condition(name, ok=False, reason="not known yet") for name in conditions}

    def beat(self) -> None:
        """The loop has come round once more."""
        self._beaten = self._clock()

    def set(self, name: str, ok: bool, reason: str = "") -> None:
        """State a readiness condition; the reason is for when it does not hold."""
        with self._lock:
            self._conditions[name] = Condition(name, ok, "" if ok else reason)

    def live(self) -> Report:
        """Whether the loop turns."""
        age = self._clock() - self._beaten
        ok = age < self._stale_after
        reason = "" if ok else f"the last turn of the loop was {age:.1f} s ago, more than {self._stale_after:g} s"
        return Report(ok, [Condition("loop", ok, reason)])

    def ready(self) -> Report:
        """Whether every condition holds; a loop that stands still is not ready either."""
        with self._lock:
            conditions = [*self.live().conditions, *self._conditions.values()]
        return Report(all(condition.ok for condition in conditions), conditions)


class Server:
    """The HTTP server of one service, in its own thread; use it in a `with`, or `close` it.

    Port 0 takes a free one; `port` says which. Raises Fatal when it cannot listen there.
    """

    def __init__(self, health: Health, registry: CollectorRegistry, port: int = 0, address: str = "127.0.0.1") -> None:
        try:
            self._server = ThreadingHTTPServer((address, port), _handler(health, registry))
        except (OSError, OverflowError) as error:
            raise Fatal(f"cannot serve /metrics on {address}:{port}: {error}; set another port or address") from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port; more than once does no harm."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _handler(health: Health, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_TIMEOUT

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._metrics()
            elif path == "/livez":
                self._report(health.live())
            elif path == "/readyz":
                self._report(health.ready())
            else:
                self._answer(404, "text/plain; charset=utf-8", b"there are /metrics, /livez and /readyz\n")

        def _metrics(self) -> None:
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            try:
                body = encode(registry)
            except Exception:
                log.exception("a collector failed; /metrics answers 500")
                self._answer(500, "text/plain; charset=utf-8", b"a collector failed; see the log\n")
            else:
                self._answer(200, content_type, body)

        def _report(self, report: Report) -> None:
            body = msgspec.json.format(msgspec.json.encode(report)) + b"\n"
            self._answer(200 if report.ok else 503, "application/json", body)

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            log.debug(format, *args)

    return Handler
