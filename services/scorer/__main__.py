"""The scorer as a process: reads the environment, builds the clients, runs until told to stop."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import monotonic
from typing import TypeVar

from services.runtime.errors import Stopped, Transient
from services.runtime.http import Health, Server
from services.runtime.log import configure
from services.runtime.metrics import process_registry
from services.runtime.redis_client import sync_redis
from services.runtime.retry import keep_trying
from services.runtime.settings import load
from services.runtime.shutdown import stop_event
from services.scorer.app import Scorer
from services.scorer.kafka_profiles import KafkaNotices
from services.scorer.kafka_recommendations import KafkaLists
from services.scorer.kafka_releases import KafkaAnnouncements
from services.scorer.loop import follow, serve
from services.scorer.made import Made
from services.scorer.metrics import Metrics, now_ms
from services.scorer.redis_profiles import RedisProfiles
from services.scorer.releases import Releases
from services.scorer.settings import ScorerSettings

T = TypeVar("T")

# A thread that loads a release would keep Python's lock 5 ms at a time, several times in each list made meanwhile.
SWITCH_S = 0.0005

log = logging.getLogger("services.scorer")


def main() -> None:
    """Run a scorer until SIGTERM or Ctrl-C."""
    settings = load(ScorerSettings, os.environ)
    configure(settings.log, "scorer", monotonic)
    sys.setswitchinterval(SWITCH_S)
    run(settings, stop_event())


def run(settings: ScorerSettings, stop: threading.Event) -> None:
    """Wire a scorer to Kafka and Redis and run it until `stop` is set."""
    options = settings.scorer
    settings.list.quotas()  # a wrong table stops the start, not the first release
    health, registry = Health("release", "redis", "kafka", clock=monotonic), process_registry()
    metrics = Metrics(registry, health)
    with ExitStack() as closing:
        http = closing.enter_context(Server(health, registry, options.metrics_port, options.metrics_host))
        log.info("scorer: metrics at http://%s:%d/metrics", options.metrics_host, http.port)
        profiles = RedisProfiles(closing.enter_context(sync_redis(settings.redis)))

        def patiently(call: Callable[[], T]) -> T:
            try:
                return call()  # the common case pays for no retrying
            except Transient as error:
                on_retry(error)
            return keep_trying(call, stop, on_retry)

        def on_retry(error: Transient) -> None:
            log.warning("holding the notices: %s", error)
            metrics.retried(error)
            if notices is not None:
                with suppress(Transient):
                    notices.hold(0.0)  # or else the group would take us for dead

        notices: KafkaNotices | None = None
        try:
            lists = patiently(lambda: KafkaLists(settings.kafka, health.beat))
            closing.callback(lists.close)
            announcements = patiently(lambda: KafkaAnnouncements(settings.kafka))
            notices = patiently(
                lambda: KafkaNotices(settings.kafka, options.group, options.max_notices, options.commit_ms, monotonic)
            )
            closing.callback(notices.close)
            made = Made(options.remember)
            scorer = Scorer(profiles, lists, metrics, made, patiently, now_ms, settings.list.length, options.max_batch)
            releases = Releases(settings.list, metrics, scorer.seen.copy, monotonic, options.retry_release_s)
            probes = {"redis": profiles.ping, "kafka": announcements.ping}
            following = threading.Thread(
                target=follow, args=(announcements, releases, probes, health, stop, options.probe_s, monotonic),
                name="releases",
            )  # fmt: skip
            following.start()
            closing.callback(following.join)
            serve(scorer, notices, releases, metrics, patiently, stop)
        except Stopped:
            log.warning("scorer: stopped while a server was away; what was not acknowledged will come again")
        finally:
            stop.set()
    log.info("scorer: stopped, everything acknowledged is committed")


if __name__ == "__main__":
    main()
