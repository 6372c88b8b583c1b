"""Live evaluation as a process: reads the environment, builds the clients, runs until told to stop."""

import logging
import os
import sys
import threading
from contextlib import ExitStack
from time import monotonic

from schemas.topics import LISTENS
from services.outcomes.app import Outcomes
from services.outcomes.following import Following
from services.outcomes.judging import Judge
from services.outcomes.kafka_outcomes import KafkaOutcomes
from services.outcomes.loop import GoingOn, serve
from services.outcomes.metrics import Metrics, now_ms
from services.outcomes.settings import OutcomesSettings
from services.outcomes.standing import Standing
from services.runtime.errors import Fatal, Stopped
from services.runtime.http import Health, Server
from services.runtime.kafka_log import KafkaLog
from services.runtime.kafka_member import KafkaMember
from services.runtime.log import configure
from services.runtime.metrics import process_registry
from services.runtime.patience import Patient
from services.runtime.settings import BadSetting, load
from services.runtime.shutdown import stop_event

READ_S = 2.0  # a broker that says nothing for so long is away: longer, and SIGTERM would have to wait for it

log = logging.getLogger("services.outcomes")


def main() -> None:
    """Run live evaluation until SIGTERM or Ctrl-C."""
    try:
        settings = load(OutcomesSettings, os.environ)
        configure(settings.log, "outcomes", monotonic)
        run(settings, stop_event())
    except (BadSetting, Fatal) as error:
        sys.exit(f"outcomes: {error}")


def run(settings: OutcomesSettings, stop: threading.Event) -> None:
    """Wire it to Kafka and run it until `stop` is set. Raises Fatal, BadSetting."""
    options = settings.outcomes
    health = Health("assignment", "kafka", clock=monotonic)
    registry = process_registry(health)
    metrics = Metrics(registry, health, options.releases)
    with ExitStack() as closing:
        http = closing.enter_context(Server(health, registry, options.metrics_port, options.metrics_host))
        log.info("outcomes: metrics at http://%s:%d/metrics", options.metrics_host, http.port)
        try:
            _serve(settings, closing, metrics, stop)
        except Stopped:
            log.warning("outcomes: stopped before all was acknowledged; it will come again")
        else:
            log.info("outcomes: stopped, everything acknowledged is committed")


def _serve(settings: OutcomesSettings, closing: ExitStack, metrics: Metrics, stop: threading.Event) -> None:
    options, patiently = settings.outcomes, Patient(metrics.retried, stop)
    lists = closing.enter_context(patiently(lambda: KafkaLog(settings.kafka, "segue-outcomes-lists", READ_S)))
    sink = patiently(lambda: KafkaOutcomes(settings.kafka, metrics.health.beat, stop))
    closing.callback(sink.close)
    listens = patiently(
        lambda: KafkaMember(
            settings.kafka, LISTENS.name, options.group, "segue-outcomes", options.max_listens, options.commit_ms,
            monotonic,
        )
    )  # fmt: skip
    patiently.member = listens
    closing.callback(listens.close)
    standing = Standing(options.remember)
    following = Following(lists, standing, metrics, patiently, GoingOn(listens, metrics, stop, monotonic))
    judge = Judge(standing, settings.taste, options.late_minutes)
    outcomes = Outcomes(following, judge, sink, metrics, patiently, now_ms, stop.wait, options.settle_ms)
    serve(outcomes, listens, standing, metrics, patiently, stop, options.probe_s, monotonic)


if __name__ == "__main__":
    main()
