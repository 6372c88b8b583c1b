"""The scorer as a process: reads the environment, builds the clients, runs until told to stop."""

import logging
import os
import sys
import threading
from contextlib import ExitStack
from time import monotonic

from models.excluded import BadExclude
from models.sources.settings import BadSources
from schemas.topics import PROFILES
from services.runtime.errors import Fatal, Stopped
from services.runtime.garbage import look_rarely
from services.runtime.http import Health, Server
from services.runtime.kafka_member import KafkaMember
from services.runtime.log import configure
from services.runtime.metrics import process_registry
from services.runtime.patience import Patient
from services.runtime.redis_client import sync_redis
from services.runtime.settings import BadSetting, load
from services.runtime.shutdown import LEAVE_S, stop_event
from services.scorer.app import Scorer
from services.scorer.kafka_recommendations import KafkaLists
from services.scorer.kafka_releases import KafkaAnnouncements
from services.scorer.kafka_tracks import KafkaTracks
from services.scorer.loop import Following, serve
from services.scorer.made import Made
from services.scorer.metrics import Metrics, now_ms
from services.scorer.newcomers import Newcomers
from services.scorer.redis_profiles import RedisProfiles
from services.scorer.releases import Releases
from services.scorer.settings import ScorerSettings

# Python passes its lock on every 5 ms by default. Other threads share it here (those that read `tracks` and `releases`,
# and one that loads a release now and then): a list would wait for them.
SWITCH_S = 0.0005

log = logging.getLogger("services.scorer")


def main() -> None:
    """Run a scorer until SIGTERM or Ctrl-C."""
    try:
        settings = load(ScorerSettings, os.environ)
        settings.split()
        configure(settings.log, "scorer", monotonic)
        sys.setswitchinterval(SWITCH_S)
        run(settings, stop_event(LEAVE_S))
    except (BadSetting, BadSources, BadExclude, Fatal) as error:
        sys.exit(f"scorer: {error}")


def run(settings: ScorerSettings, stop: threading.Event) -> None:
    """Wire a scorer to Kafka and Redis and run it until `stop` is set. Raises Fatal."""
    health = Health("release", "redis", "kafka", clock=monotonic)
    registry = process_registry(health)
    metrics = Metrics(registry, health)
    options = settings.scorer
    with ExitStack() as closing:
        http = closing.enter_context(Server(health, registry, options.metrics_port, options.metrics_host))
        log.info("scorer: metrics at http://%s:%d/metrics", options.metrics_host, http.port)
        try:
            _serve(settings, closing, health, metrics, stop)
        except Stopped:
            log.warning("scorer: stopped while a server was away; what was not acknowledged will come again")
        else:
            log.info("scorer: stopped, everything acknowledged is committed")


def _serve(
    settings: ScorerSettings, closing: ExitStack, health: Health, metrics: Metrics, stop: threading.Event
) -> None:
    options, patiently = settings.scorer, Patient(metrics.retried, stop)
    profiles = RedisProfiles(closing.enter_context(patiently(lambda: sync_redis(settings.redis))))
    lists = patiently(lambda: KafkaLists(settings.kafka, health.beat, stop))
    closing.callback(lists.close)
    announcements = patiently(lambda: KafkaAnnouncements(settings.kafka))
    closing.callback(announcements.close)
    notices = patiently(
        lambda: KafkaMember(
            settings.kafka,
            PROFILES.name,
            options.group,
            "segue-scorer",
            options.max_notices,
            options.commit_ms,
            monotonic,
        )
    )
    patiently.member = notices
    leaving = closing.enter_context(ExitStack())
    leaving.callback(notices.close)
    leaving.callback(lists.close)  # before: what is given up must not follow on the next owner's
    scorer = Scorer(
        profiles, lists, metrics, Made(options.remember), patiently, now_ms, options.max_batch, options.remember
    )
    notices.leaving = scorer.part
    newcomers = None
    if options.new_tracks:
        tracks = patiently(lambda: KafkaTracks(settings.kafka))
        closing.callback(tracks.close)
        newcomers = Newcomers(tracks, options.new_tracks_s, options.new_tracks, monotonic)
    releases = Releases(settings.split(), metrics, scorer.seen.copy, monotonic, options.retry_release_s, newcomers)
    probes = {"redis": profiles.ping, "kafka": announcements.ping}
    look_rarely()
    # The group is left while the other thread ends what it asks: of a silent broker both wait for a second or two.
    with Following(announcements, releases, probes, health, stop, options.probe_s, monotonic), leaving:
        serve(scorer, notices, releases, metrics, patiently, stop)
