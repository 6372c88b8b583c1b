"""The profiler as a process: reads the environment, builds the clients, runs until told to stop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from time import monotonic

import uvloop

from models.profile import BadProfile
from services.profiler.app import Profiler
from services.profiler.bulk_loop import BulkLoop
from services.profiler.errors import ReadAgainError
from services.profiler.kafka_log import KafkaLog
from services.profiler.kafka_outbox import KafkaOutbox
from services.profiler.metrics import Metrics
from services.profiler.ports import Outbox, Profiles
from services.profiler.redis_profiles import RedisProfiles
from services.profiler.settings import ProfilerSettings
from services.runtime.errors import BrokerAway, Fatal, Stopped
from services.runtime.garbage import look_rarely
from services.runtime.http import Health, Server
from services.runtime.log import configure
from services.runtime.metrics import process_registry
from services.runtime.redis_client import async_redis
from services.runtime.retry import keep_trying_async
from services.runtime.settings import BadSetting, load
from services.runtime.shutdown import LEAVE_S, leave_after

log = logging.getLogger("services.profiler")

Wrap = Callable[[Profiles, Outbox], tuple[Profiles, Outbox]]


def _as_they_are(profiles: Profiles, outbox: Outbox) -> tuple[Profiles, Outbox]:
    return profiles, outbox


def main(wrap: Wrap = _as_they_are) -> None:
    """Run a profiler. After a store that fell behind it starts itself afresh, with nothing left in memory."""
    try:
        settings = load(ProfilerSettings, os.environ)
        configure(settings.log, "profiler", monotonic)
        look_rarely()
        uvloop.run(run(settings, wrap))
    except (BadSetting, Fatal, BadProfile) as error:
        sys.exit(f"segue profiler: {error}")
    except ReadAgainError as error:
        log.warning("%s; starting afresh to read the log again from there", error)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # itself, no shell


def _end(stop: asyncio.Event) -> None:
    """Ask for a graceful end, and see to it that there is one. What is folded is in Redis, with its cursor."""
    stop.set()
    leave_after(LEAVE_S)


async def run(settings: ProfilerSettings, wrap: Wrap = _as_they_are) -> None:
    """Wire a profiler to Kafka and Redis and run it until SIGTERM or Ctrl-C. `wrap`: around its ports, for tests."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, stop)
    health = Health("assignment", "redis", clock=monotonic)
    registry = process_registry(health)
    metrics = Metrics(registry, health)
    options = settings.profiler

    def waiting() -> None:
        metrics.retried(BrokerAway())
        if stop.is_set():
            raise Stopped("told to stop while the broker is away")

    outbox, redis = KafkaOutbox(settings.kafka, waiting), async_redis(settings.redis)
    listens = KafkaLog(settings.kafka)
    with Server(health, registry, options.metrics_port, options.metrics_host) as http:
        log.info("profiler (%s loop): metrics at http://%s:%d/metrics", options.loop, options.metrics_host, http.port)
        try:
            await keep_trying_async(outbox.start, stop, metrics.retried)
            await keep_trying_async(listens.start, stop, metrics.retried)
            ports = wrap(RedisProfiles(redis, settings.taste.max_past), outbox)
            profiler = Profiler(*ports, listens, settings.taste, metrics, options.cache_profiles, stop)
            if options.loop == "bulk":
                await BulkLoop(profiler, settings, metrics).run(stop)
            else:
                from services.profiler.faust_loop import FaustLoop  # faust is heavy and the bulk loop needs none

                await FaustLoop(profiler, settings, metrics).run(stop)
        except Stopped as error:
            log.info("profiler: stopped while it waited; what was not acknowledged is repeated: %s", error)
        finally:
            await outbox.stop()
            await listens.stop()
            await redis.aclose()
    log.info("profiler: stopped, everything applied is committed")


if __name__ == "__main__":
    main()
